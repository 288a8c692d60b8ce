import { logicalId } from "./names.ts";
import { at, itemsOf, textOf } from "./node.ts";
import { suggest } from "./problem.ts";
import { isTrue } from "./read-workload.ts";
import type { Files, Node, Problem, Queue, Topic, Workload } from "./types.ts";
import { parseYaml } from "./yaml.ts";

export interface Patch {
  op: string;
  path: string;
  value: Node | undefined;
  at: Node["at"];
}

interface ParsedPatches {
  text: string;
  patches: readonly Patch[];
  problems: readonly Problem[];
}

/** Every environment asks for the same patches: a text is parsed once. */
const parsedFiles = new WeakMap<Files, Map<string, ParsedPatches>>();

/** Reads `<folder>/overrides/cfn.patches.yml`, links followed; no file is no patch. */
export function readPatches(files: Files, folder: string, problems: Problem[]): readonly Patch[] {
  const file = `${folder}/overrides/cfn.patches.yml`;
  const text = files.read(file);
  if (text === undefined) return [];
  const known = parsedFiles.get(files) ?? new Map<string, ParsedPatches>();
  parsedFiles.set(files, known);
  let parsed = known.get(file);
  if (parsed?.text !== text) known.set(file, (parsed = parsePatches(file, text)));
  problems.push(...parsed.problems);
  return parsed.patches;
}

function parsePatches(file: string, text: string): ParsedPatches {
  const parsed = parseYaml(file, text, { cloudFormation: true });
  const problems = [...parsed.problems];
  const patches = itemsOf(parsed.root).map((item) => {
    const op = textOf(at(item, "op")) ?? "";
    const pointer = textOf(at(item, "path")) ?? "";
    if (!["add", "remove", "replace"].includes(op)) {
      problems.push({
        rule: "patch",
        message: `\`${op}\` is no operation of a patch: add, remove or replace.`,
        ...(at(item, "op") ?? item).at,
      });
    }
    return { op, path: pointer, value: at(item, "value"), at: (at(item, "path") ?? item).at };
  });
  return { text, patches, problems };
}

/** Marks the subscriptions whose `RawMessageDelivery` the patches switch on. */
export function applyRawDelivery(queues: Queue[], patches: readonly Patch[]): void {
  for (const subscription of queues.flatMap((queue) => queue.subscriptions)) {
    const resource = `/Resources/${subscription.logicalId}`;
    for (const { op, path, value } of patches) {
      if (path === `${resource}/Properties/RawMessageDelivery`)
        subscription.rawDelivery = op !== "remove" && isRaw(value);
      else if (path === `${resource}/Properties`)
        subscription.rawDelivery = isRaw(at(value, "RawMessageDelivery"));
      else if (path === resource)
        subscription.rawDelivery = isRaw(at(value, "Properties", "RawMessageDelivery"));
    }
  }
}

function isRaw(node: Node | undefined): boolean {
  return isTrue(node) || textOf(node) === "true";
}

/**
 * A patch whose path is absent stops Copilot. Judged are the ids that follow from the manifest: topics, queues, dead
 * letters and subscriptions; other resources depend on more than this package knows.
 */
export function checkPatches(workload: Workload, patches: readonly Patch[], problems: Problem[]): void {
  const known = new Set(idsOf(workload));
  const added = new Set(
    patches
      .filter(({ op, path }) => op === "add" && path.split("/").length === 3)
      .map(({ path }) => path.split("/")[2]),
  );
  for (const { path, at: place } of patches) {
    const [, section, id = ""] = path.split("/");
    if (section !== "Resources" || added.has(id)) continue;
    const needed = conditionOf(id, workload);
    const judged = /(?:SNSTopic|SNSTopicPolicy|SNSTopicSubscription|EventsQueue|DeadLetterQueue)$/.test(id);
    const absent = needed ? !needed.met : judged && !known.has(id);
    if (!absent) continue;
    const message = `The stack of ${workload.name} has no \`${id}\`: the patch stops Copilot.`;
    const hint = needed ? `Copilot makes it for ${needed.what}.` : suggest(id, known, "ids");
    problems.push({ rule: "patch", message, hint, ...place });
  }
}

/** Resources that a workload's stack has only under a condition: one patch file serves every environment, so it must hold in all. */
function conditionOf(
  id: string,
  { type, count, http }: Workload,
): { met: boolean; what: string } | undefined {
  const scales = typeof count === "object";
  const service = type !== "Scheduled Job";
  const conditions: Record<string, { met: boolean; what: string }> = {
    DynamicDesiredCountFunction: { met: service && scales, what: "a `count` with a `range`" },
    BacklogPerTaskCalculatorFunction: {
      met: scales && count.queueDelayTarget !== undefined,
      what: "a worker whose `count` has `queue_delay`",
    },
    RulePriorityFunction: { met: http !== undefined, what: "a service with `http`" },
    TargetGroup: { met: http !== undefined, what: "a service with `http`" },
    Service: { met: service, what: "services, not for jobs" },
    StateMachine: { met: !service, what: "a Scheduled Job" },
  };
  return Object.hasOwn(conditions, id) ? conditions[id] : undefined;
}

function idsOf({ publishes, queue, topicQueues }: Workload): string[] {
  const topics = publishes.flatMap((topic: Topic) => [topic.logicalId, `${topic.logicalId}Policy`]);
  const queues = [...(queue ? [queue] : []), ...topicQueues];
  return [...topics, ...queues.flatMap(queueIds)];
}

function queueIds(queue: Queue): string[] {
  const deadLetter = queue.deadLetter ? [queue.deadLetter.logicalId] : [];
  return [
    queue.logicalId,
    ...deadLetter,
    ...queue.subscriptions.map((subscription) => logicalId(subscription.logicalId)),
  ];
}
