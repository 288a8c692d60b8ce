import { parseDuration } from "./duration.ts";
import { cycleThrough } from "./graph.ts";
import { queuePath, usedQueues } from "./queues.ts";
import { isName } from "./names.ts";
import { at, entriesOf, isNull, itemsOf, positionOf, textOf } from "./node.ts";
import { suggest } from "./problem.ts";
import { isFalse, isTrue, numberOf, rangeOf } from "./read-workload.ts";
import { parseSchedule } from "./schedule.ts";
import type { MapNode, Node, Problem, Queue, Workload } from "./types.ts";

type Report = (rule: string, path: (string | number)[], message: string, hint?: string) => void;

/** What Copilot or AWS refuses, or loses without a word, in one workload of one environment. */
export function checkWorkload(root: MapNode, workload: Workload, problems: Problem[]): void {
  const report: Report = (rule, path, message, hint) => {
    problems.push({ rule, message, ...(hint ? { hint } : {}), ...positionOf(root, path) });
  };
  names(root, workload, report);
  if (workload.type === "Static Site") return files(root, report);
  image(root, workload, report);
  size(root, workload, report);
  count(root, workload, report);
  http(root, workload, report);
  messaging(root, workload, report);
  variables(root, workload, report);
  containers(root, workload, report);
  volumes(root, report);
  impossible(root, workload, report);
  for (const queue of usedQueues(workload)) queueTimes(root, queue, workload, report);
  if (workload.type === "Scheduled Job") job(root, report);
}

/** Pairs of settings of which one can never work beside the other. */
function impossible(root: MapNode, { exec, platform }: Workload, report: Report): void {
  const readonly = at(root, "storage", "readonly_fs");
  if (exec && isTrue(readonly)) {
    const message = "`exec` never works with `readonly_fs: true`: its agent has to write into the container.";
    report("exec-readonly", ["exec"], message, "Remove one of the two.");
  }
  const spot = [
    ["count", "spot"],
    ["count", "range", "spot_from"],
  ].find((path) => isWritten(at(root, ...path)));
  if (spot && /arm/i.test(platform))
    report("spot-arm", spot, "Copilot refuses Spot on ARM.", "Use linux/x86_64, or no Spot.");
}

/** A message has to live longer than the scaling lets it wait. */
function queueTimes(root: MapNode, queue: Queue, workload: Workload, report: Report): void {
  const { retentionSeconds } = queue;
  const latency = parseDuration(textOf(at(root, "count", "queue_delay", "acceptable_latency")) ?? "");
  if (latency === undefined || latency < retentionSeconds) return;
  const path = [...queuePath(queue, workload), "retention"];
  const message = `A message of ${workload.name} lives ${retentionSeconds} s, and the scaling lets it wait ${latency} s: it is deleted before it is late.`;
  const hint = `Write a \`retention\` of more than ${latency}s, or a shorter \`acceptable_latency\`.`;
  report("queue-retention", path, message, hint);
}

function names(root: MapNode, workload: Workload, report: Report): void {
  const node = at(root, "name");
  const name = textOf(node);
  if (name === undefined)
    return report(
      "name",
      [],
      "The manifest does not say its `name`.",
      `Write \`name: ${workload.name}\`, the folder's name.`,
    );
  if (node?.kind === "scalar" && node.unresolved) return;
  if (name !== workload.name) {
    const message = `The manifest calls itself \`${name}\`, its folder is \`${workload.name}\`: every command of Copilot stops there.`;
    return report("name", ["name"], message, `Write \`name: ${workload.name}\`, or rename the folder.`);
  }
  if (!isName(name)) {
    report(
      "name",
      ["name"],
      `\`${name}\` is no name for a workload.`,
      "A letter first, then lower case letters, digits and single hyphens.",
    );
  }
}

function files(root: MapNode, report: Report): void {
  itemsOf(at(root, "files")).forEach((file, i) => {
    if (!textOf(at(file, "source")))
      report("missing", ["files", i], "`files` needs a `source` in each entry.");
  });
}

function image(root: MapNode, { type }: Workload, report: Report): void {
  const build = at(root, "image", "build");
  const location = at(root, "image", "location");
  if (isWritten(build) === isWritten(location)) {
    const message = isWritten(build)
      ? "`image` has both `build` and `location`."
      : "`image` has neither `build` nor `location`.";
    const hint = isWritten(build)
      ? "Write one of the two."
      : "Write one of the two. If a pipeline puts it in, except this rule in copilot-manifest.yml.";
    report("image", ["image"], message, hint);
  }
  const needsPort = type === "Load Balanced Web Service" || type === "Request-Driven Web Service";
  if (needsPort && !isWritten(at(root, "image", "port")))
    report("missing", ["image"], `A ${type} needs \`image.port\`.`);
}

/** Fargate's pairs: cpu units → smallest memory, largest memory, step (MiB). */
const fargate: Record<number, [number, number, number]> = {
  256: [512, 2048, 512],
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
  8192: [16_384, 61_440, 4096],
  16384: [32_768, 122_880, 8192],
};

function size(root: MapNode, { type, cpu, memory, platform }: Workload, report: Report): void {
  if (type === "Request-Driven Web Service") return;
  const pair = fargate[cpu];
  if (!pair)
    return report(
      "size",
      ["cpu"],
      `Fargate has no ${cpu} cpu units.`,
      `Known: ${Object.keys(fargate).join(", ")}.`,
    );
  const [min, max, step] = pair;
  // 256 units go with 512, 1024 and 2048 MiB, not with 1536.
  const known = memory >= min && memory <= max && memory % step === 0 && !(cpu === 256 && memory === 1536);
  const where = isWritten(at(root, "memory")) ? ["memory"] : ["cpu"];
  const choices = cpu === 256 ? "512, 1024 or 2048" : `${min} to ${max} in steps of ${step}`;
  if (!known)
    report("size", where, `Fargate has no ${memory} MiB for ${cpu} cpu units.`, `With ${cpu}: ${choices}.`);
  if (/windows/i.test(platform) && (cpu < 1024 || memory < 2048))
    report("size", where, "Windows tasks need at least 1024 cpu units and 2048 MiB.");
}

const metrics = ["cpu_percentage", "memory_percentage", "requests", "response_time", "queue_delay"];

function count(root: MapNode, { type }: Workload, report: Report): void {
  const node = at(root, "count");
  if (node?.kind !== "map") return;
  if (type === "Scheduled Job")
    return report("count", ["count"], "A Scheduled Job runs one task: it cannot scale.", "Remove `count`.");
  const written = metrics.filter((metric) => isWritten(at(node, metric)));
  const foreign = type === "Worker Service" ? ["requests", "response_time"] : ["queue_delay"];
  for (const metric of written.filter((name) => foreign.includes(name))) {
    report(
      "count",
      ["count", metric],
      `A ${type} cannot scale on \`${metric}\`.`,
      `It can on: ${metrics.filter((name) => !foreign.includes(name)).join(", ")}.`,
    );
  }
  const range = isWritten(at(node, "range"));
  if (isWritten(at(node, "spot")) && (range || written.length > 0))
    report("count", ["count", "spot"], "`spot` excludes `range` and every metric.");
  if (range && written.length === 0)
    report(
      "count",
      ["count", "range"],
      "`range` needs a metric to scale on.",
      `One of: ${metrics.filter((name) => !foreign.includes(name)).join(", ")}.`,
    );
  if (!range && written.length > 0)
    report(
      "count",
      ["count", written[0] ?? ""],
      `\`${written[0]}\` needs a \`range\`.`,
      "Like `range: 1-4`.",
    );
  checkRange(at(node, "range"), report);
  queueDelay(at(node, "queue_delay"), report);
  const perRequest = written.find((name) => name === "requests" || name === "response_time");
  if (perRequest && at(root, "http")?.kind !== "map")
    report(
      "count",
      ["count", perRequest],
      `\`${perRequest}\` needs \`http\`: it is measured at the load balancer.`,
    );
}

function checkRange(node: Node | undefined, report: Report): void {
  if (!isWritten(node) || (node?.kind === "scalar" && node.unresolved)) return;
  const path = ["count", "range"];
  if (node?.kind === "scalar" && !/^\d+-\d+$/.test(node.text))
    return report("count", path, `\`range\` must be like 1-4, not ${node.text}.`);
  if (node?.kind === "map" && (!isWritten(at(node, "min")) || !isWritten(at(node, "max"))))
    return report("count", path, "`range` needs `min` and `max`.");
  const [min = 0, max = 0] = rangeOf(node);
  if (min > max)
    report("count", path, `The smallest number of tasks (${min}) is larger than the largest (${max}).`);
}

function queueDelay(node: Node | undefined, report: Report): void {
  if (node?.kind !== "map") return;
  const path = ["count", "queue_delay"];
  const latency = parseDuration(textOf(at(node, "acceptable_latency")) ?? "");
  const processing = parseDuration(textOf(at(node, "msg_processing_time")) ?? "");
  if (latency === undefined || processing === undefined)
    return report("count", path, "`queue_delay` needs `acceptable_latency` and `msg_processing_time`.");
  if (latency <= 0 || processing <= 0)
    return report("count", path, "`acceptable_latency` and `msg_processing_time` must be longer than 0s.");
  if (processing > latency)
    report(
      "count",
      [...path, "msg_processing_time"],
      "`msg_processing_time` is longer than `acceptable_latency`: no number of tasks can keep that.",
    );
}

function http(root: MapNode, { type }: Workload, report: Report): void {
  const node = at(root, "http");
  if (type === "Load Balanced Web Service") {
    const nlb = at(root, "nlb")?.kind === "map";
    const written = entriesOf(at(root, "nlb")).some(([, { value }]) => isWritten(value));
    if (written && !isWritten(at(root, "nlb", "port"))) report("missing", ["nlb"], "`nlb` needs a `port`.");
    if (isFalse(node) && !nlb)
      return report("http", ["http"], "A Load Balanced Web Service needs `http` or `nlb`.");
    if (!isWritten(node))
      return report(
        "http",
        [],
        "A Load Balanced Web Service needs `http`.",
        "With `nlb` alone: `http: false`.",
      );
  }
  if (type === "Request-Driven Web Service" || node?.kind !== "map") return;
  const rules = [{ path: ["http"] as (string | number)[], rule: node as Node }];
  itemsOf(at(node, "additional_rules")).forEach((rule, i) =>
    rules.push({ path: ["http", "additional_rules", i], rule }),
  );
  for (const { path, rule } of rules) {
    if (!isWritten(at(rule, "path"))) report("missing", path, "`http` needs a `path`.");
    if (isWritten(at(rule, "hosted_zone")) && !isWritten(at(rule, "alias")))
      report("missing", [...path, "hosted_zone"], "`hosted_zone` needs an `alias`.");
  }
}

function messaging(
  root: MapNode,
  { type, name, image: { port }, http: web }: Workload,
  report: Report,
): void {
  if (
    isWritten(at(root, "network", "connect", "alias")) &&
    (type === "Worker Service" || (!port && !web?.targetContainer))
  ) {
    report(
      "connect",
      ["network", "connect", "alias"],
      `${name} exposes no port: \`connect.alias\` has nothing to name.`,
      "Write `connect: true` for a client.",
    );
  }
  itemsOf(at(root, "publish", "topics")).forEach((topic, i) => {
    if (!textOf(at(topic, "name")))
      report("missing", ["publish", "topics", i], "A published topic needs a `name`.");
  });
  if (type !== "Worker Service") return;
  const queue = at(root, "subscribe", "queue");
  const topics = at(root, "subscribe", "topics");
  if (isWritten(queue) && !isWritten(topics)) {
    const message =
      "Without `subscribe.topics` Copilot leaves the whole `queue` section out: no dead letters, no FIFO, no timeout.";
    report(
      "queue-without-topics",
      ["subscribe", "queue"],
      message,
      "Write `topics: []` if the worker subscribes to nothing.",
    );
  }
  fifo(at(queue, "fifo"), ["subscribe", "queue", "fifo"], report);
  itemsOf(topics).forEach((topic, i) => {
    const path = ["subscribe", "topics", i];
    if (!textOf(at(topic, "name"))) report("missing", path, "A subscription needs the `name` of a topic.");
    const service = textOf(at(topic, "service"));
    if (!service) report("missing", path, "A subscription needs the `service` that publishes the topic.");
    else if (service.length < 2)
      report("name", [...path, "service"], "Copilot refuses a service name of one letter here.");
    fifo(at(topic, "queue", "fifo"), [...path, "queue", "fifo"], report);
    const twice = itemsOf(topics)
      .slice(0, i)
      .some(
        (other) =>
          textOf(at(other, "name")) === textOf(at(topic, "name")) && textOf(at(other, "service")) === service,
      );
    if (twice)
      report(
        "duplicate-topic",
        [...path, "name"],
        `${name} subscribes to "${textOf(at(topic, "name"))}" of ${service} twice.`,
      );
  });
}

function fifo(node: Node | undefined, path: (string | number)[], report: Report): void {
  if (node?.kind !== "map") return;
  const [limit, scope] = [textOf(at(node, "throughput_limit")), textOf(at(node, "deduplication_scope"))];
  if (isWritten(at(node, "high_throughput")) && (limit || scope)) {
    report(
      "fifo",
      [...path, "high_throughput"],
      "`high_throughput` sets `throughput_limit` and `deduplication_scope` itself.",
      "Write `high_throughput`, or the two.",
    );
  }
  if (limit === "perMessageGroupId" && scope === "queue")
    report(
      "fifo",
      [...path, "throughput_limit"],
      "`perMessageGroupId` needs `deduplication_scope: messageGroup`.",
    );
  for (const key of ["high_throughput", "content_based_deduplication"]) {
    const only = node.entries.size === 1 && isFalse(at(node, key));
    if (only)
      report(
        "fifo",
        [...path, key],
        `The queue is FIFO all the same: any map under \`fifo\` makes it one.`,
        "Write `fifo: false`, or leave it out.",
      );
  }
}

/** The variables that Copilot gives to a workload's containers, without its addons' outputs. */
export function injectedVariables(workload: Workload): string[] {
  const { type, http: web, publishes, topicQueues, manifest } = workload;
  const volumes = Object.keys((manifest["storage"] as { volumes?: object } | undefined)?.volumes ?? {});
  const conditional: [string, boolean][] = [
    [
      "COPILOT_LB_DNS",
      type === "Load Balanced Web Service"
        ? manifest["http"] !== false
        : type === "Backend Service" && web !== undefined,
    ],
    ["COPILOT_SNS_TOPIC_ARNS", publishes.length > 0],
    ["COPILOT_QUEUE_URI", type === "Worker Service"],
    ["COPILOT_TOPIC_QUEUE_URIS", topicQueues.length > 0],
    ["COPILOT_MOUNT_POINTS", volumes.length > 0],
  ];
  const always = [
    "COPILOT_APPLICATION_NAME",
    "COPILOT_ENVIRONMENT_NAME",
    "COPILOT_SERVICE_NAME",
    "COPILOT_SERVICE_DISCOVERY_ENDPOINT",
  ];
  return [...always, ...conditional.filter(([, given]) => given).map(([name]) => name)];
}

function variables(root: MapNode, workload: Workload, report: Report): void {
  const injected = new Set(injectedVariables(workload));
  for (const section of ["variables", "secrets"]) {
    for (const [name] of entriesOf(at(root, section))) {
      if (injected.has(name))
        report(
          "injected-variable",
          [section, name],
          `Copilot gives ${name} itself: it would stand twice in the container.`,
          "Remove it.",
        );
    }
  }
  for (const [name] of entriesOf(at(root, "secrets"))) {
    const both = at(root, "variables", name);
    if (both)
      report(
        "duplicate-variable",
        ["secrets", name],
        `${name} is a variable and a secret: ECS refuses the task.`,
        "Keep one of the two.",
      );
  }
}

function containers(root: MapNode, { name }: Workload, report: Report): void {
  const sidecars = entriesOf(at(root, "sidecars")).map(([sidecar]) => sidecar);
  const all = [name, ...sidecars, ...(at(root, "logging")?.kind === "map" ? ["firelens_log_router"] : [])];
  for (const sidecar of sidecars) {
    const written = at(root, "sidecars", sidecar, "image");
    if (!isWritten(written))
      report("missing", ["sidecars", sidecar], `The sidecar \`${sidecar}\` needs an \`image\`.`);
    itemsOf(at(root, "sidecars", sidecar, "mount_points")).forEach((mount, i) => {
      const complete = textOf(at(mount, "source_volume")) && textOf(at(mount, "path"));
      const path = ["sidecars", sidecar, "mount_points", i];
      if (!complete) report("missing", path, "A mount point needs `source_volume` and `path`.");
    });
  }
  const check = (target: Node | undefined, path: (string | number)[]) => {
    const text = textOf(target);
    if (text === undefined || all.includes(text) || (target?.kind === "scalar" && target.unresolved)) return;
    report("container", path, `There is no container \`${text}\`.`, suggest(text, all, "containers"));
  };
  for (const key of ["target_container", "targetContainer"]) check(at(root, "http", key), ["http", key]);
  check(at(root, "nlb", "target_container"), ["nlb", "target_container"]);
  const sections = [["image"], ...sidecars.map((sidecar) => ["sidecars", sidecar])];
  const waits = new Map(
    sections.map((path) => [
      path[1] ?? name,
      entriesOf(at(root, ...path, "depends_on")).map(([container]) => container),
    ]),
  );
  for (const path of sections) {
    const cycle = cycleThrough(waits, path[1] ?? name);
    if (cycle)
      report(
        "cycle",
        [...path, "depends_on"],
        `The containers wait for each other: ${cycle}. ECS refuses the task.`,
        "Remove one `depends_on`.",
      );
    for (const [container, { key }] of entriesOf(at(root, ...path, "depends_on"))) {
      check({ kind: "scalar", value: container, text: container, style: "plain", at: key }, [
        ...path,
        "depends_on",
        container,
      ]);
    }
  }
}

function volumes(root: MapNode, report: Report): void {
  for (const [volume, { value }] of entriesOf(at(root, "storage", "volumes"))) {
    const path = ["storage", "volumes", volume];
    if (!textOf(at(value, "path")))
      report("missing", path, "A volume needs the `path` at which the container sees it.");
    const efs = at(value, "efs");
    if (isWritten(at(efs, "uid")) !== isWritten(at(efs, "gid")))
      report("volume", [...path, "efs"], "`uid` and `gid` go together.");
    if (numberOf(at(efs, "uid")) === 0) report("volume", [...path, "efs", "uid"], "`uid` must not be 0.");
  }
}

function job(root: MapNode, report: Report): void {
  const node = at(root, "on", "schedule");
  const text = textOf(node);
  if (text === undefined)
    return report(
      "schedule",
      ["on"],
      "A Scheduled Job needs `on.schedule`.",
      'Like "0 9 * * 1-5", "@daily" or "none"; times are UTC.',
    );
  if (node?.kind === "scalar" && !node.unresolved) schedule(text, report);
  const timeout = at(root, "timeout");
  if (isWritten(timeout) && textOf(timeout) !== "" && !(timeout?.kind === "scalar" && timeout.unresolved)) {
    const seconds = parseDuration(textOf(timeout) ?? "");
    if (seconds === undefined)
      report("type", ["timeout"], "`timeout` must be a duration like 30s, 5m or 1h30m (there are no days).");
    else if (seconds < 1 || !Number.isInteger(seconds))
      report("value", ["timeout"], "`timeout` must be one second or more, in whole seconds.");
  }
  if ((numberOf(at(root, "retries")) ?? 0) < 0) report("value", ["retries"], "`retries` cannot be negative.");
}

function schedule(text: string, report: Report): void {
  try {
    parseSchedule(text);
  } catch (error) {
    report(
      "schedule",
      ["on", "schedule"],
      `The schedule "${text}" cannot be used: ${(error as Error).message}.`,
      "Times are UTC.",
    );
  }
}

function isWritten(node: Node | undefined): boolean {
  return node !== undefined && !isNull(node);
}
