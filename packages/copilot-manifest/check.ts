import type { Problem, Workspace } from "./types.ts";

/** Every mistake in every environment, each once, in the order of files and lines. */
export function check(workspace: Workspace, env?: Record<string, string | undefined>): Problem[] {
  throw new Error(`not yet: ${workspace.root} ${String(env)}`);
}
