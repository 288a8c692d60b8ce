import type { AddonStack, EvaluatedStack, Meanings, Workspace } from "./types.ts";

/** The environment's addon stack (workload undefined) first, then one for each workload that has addons. */
export function readAddons(workspace: Workspace, environment: string): AddonStack[] {
  throw new Error(`not yet: ${workspace.root} ${environment}`);
}

/** Evaluates one stack: conditions, intrinsics, resources in the order of their references, outputs. */
export function evaluate(stack: AddonStack, meanings: Meanings): EvaluatedStack {
  throw new Error(`not yet: ${stack.environment} ${String(meanings)}`);
}
