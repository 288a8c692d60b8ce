import type { Workspace } from "./types.ts";

/** Reads everything under `<root>/copilot`. Mistakes of users are `problems`, never exceptions. */
export function readWorkspace(root: string): Workspace {
  throw new Error(`not yet readable: ${root}`);
}
