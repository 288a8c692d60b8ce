import { dirname, delimiter } from "node:path";
import { execute } from "./copilot-cli.ts";

export interface Buildspec {
  env?: { variables?: Record<string, string> };
  phases?: Record<string, { commands?: string[]; finally?: string[] }>;
  artifacts?: { files?: string[]; "base-directory"?: string };
}

export interface BuildPlace {
  /** The source, without its history. */
  checkout: string;
  revision: string;
  region: string;
  pipeline: string;
  /** What else is in the environment, PATH included. */
  variables: Record<string, string>;
  /** What runs instead of a command; by the command. */
  instead: Record<string, string>;
  say: (line: string) => void;
}

/** Runs a buildspec's phases as CodeBuild would; resolves to what went wrong with the first command that failed. */
export async function runPhases(buildspec: Buildspec, place: BuildPlace): Promise<string | undefined> {
  const { checkout, revision, region, pipeline, variables, instead, say } = place;
  const env = {
    // How this machine reaches its registry stands in its environment; how it reaches AWS must not be known.
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"))),
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    CODEBUILD_CI: "true",
    CODEBUILD_BUILD_ID: `${pipeline}:00000000-0000-0000-0000-000000000000`,
    CODEBUILD_BUILD_NUMBER: "1",
    CODEBUILD_INITIATOR: `codepipeline/pipeline-${pipeline}`,
    CODEBUILD_RESOLVED_SOURCE_VERSION: revision,
    CODEBUILD_SOURCE_VERSION: `arn:aws:s3:::artifacts/${pipeline}/source`,
    CODEBUILD_SRC_DIR: checkout,
    ...buildspec.env?.variables,
    ...variables,
  };
  for (const phase of ["install", "pre_build", "build", "post_build"]) {
    const { commands = [], finally: last = [] } = buildspec.phases?.[phase] ?? {};
    for (const written of [...commands, ...last]) {
      const command = instead[written] ?? written;
      const { code, ms, stdout, stderr } = await execute("/bin/sh", ["-c", command], {
        timeout: 3_600_000,
        cwd: checkout,
        env: { ...env, CODEBUILD_BUILD_SUCCEEDING: "1" },
      });
      const note = command === written ? "" : `  (instead of ${written})`;
      say(`${code === 0 ? "✔" : "✘"} ${phase.padEnd(9)}  ${(ms / 1000).toFixed(1)} s  ${command}${note}`);
      if (code !== 0)
        return `\`${command}\` of the phase ${phase} ended with exit code ${code}:\n${`${stdout}${stderr}`.slice(-2000)}`;
    }
  }
  return undefined;
}
