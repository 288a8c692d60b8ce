import type { Problem, Resolved, Workspace } from "./types.ts";

export function checkAddons(_workspace: Workspace, _resolved: Resolved, _problems: Problem[]): void {}
