export type * from "./types.ts";
export { readWorkspace } from "./workspace.ts";
export { resolve } from "./resolve.ts";
export { check } from "./check.ts";
export { readAddons, evaluate } from "./addons.ts";
export { logicalId, outputVariable, topicLogicalId } from "./names.ts";
export { parseSchedule } from "./schedule.ts";
export { parseDuration } from "./duration.ts";
export { formatProblem, formatProblems } from "./problem.ts";
