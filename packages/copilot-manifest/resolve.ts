import type { Resolved, Workspace } from "./types.ts";

/**
 * The workspace as one environment sees it: `${NAME}` interpolated from the reserved names and `env`
 * (default: the process's environment), `environments.<environment>` merged, Copilot's defaults filled in.
 */
export function resolve(
  workspace: Workspace,
  environment: string,
  env?: Record<string, string | undefined>,
): Resolved {
  throw new Error(`not yet: ${workspace.root} ${environment} ${String(env)}`);
}
