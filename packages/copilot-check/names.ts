/** The made-up account that every stand-in plays; visibly no real one. */
export const account = "123456789012";

/** The version of the CLI that all of this was proved with. */
export const cliVersion = "v1.34.1";

/** Copilot's stack of an environment, of a workload in it, of a pipeline. */
export const stackNames = {
  environment: (application: string, environment: string): string => `${application}-${environment}`,
  workload: (application: string, environment: string, workload: string): string =>
    `${application}-${environment}-${workload}`,
  pipeline: (application: string, pipeline: string): string => `pipeline-${application}-${pipeline}`,
};

/** Key of a workload's repository among the outputs of the application's stack: `worker-item` → `ECRRepoworkerDASHitem`. */
export function repositoryOutput(workload: string): string {
  return `ECRRepo${workload.replaceAll("-", "DASH")}`;
}
