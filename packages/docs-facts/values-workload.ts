import { parseDuration, type Position, type Workload } from "copilot-manifest";
import type { Sourced } from "remark-lint-claude-md";
import { type Model, unnamed, type WorkloadModel } from "./model.ts";
import { type Stage, stagesOf } from "./pipelines.ts";
import { code, codes, daysIn, duration, list } from "./words.ts";

export type Values = Record<string, Sourced<string> | undefined>;

/** What a manifest says of its workload, by the key of a field. */
export function workloadValues(model: Model, workload: WorkloadModel): Values {
  const { any } = workload;
  const at = (path: string[], value: string): Sourced<string> => model.sourced(value, any.source(path));
  return {
    infra: at(["type"], `AWS Copilot(${any.type})`),
    container: container(workload, at),
    orchestration: orchestration(any, at),
    dependencies: needs(model, workload),
    service: service(workload, at),
    environment: sizes(model, workload),
    deployment: deployment(workload, at),
    pipelines: pipelines(model, workload),
    switch: at(["name"], code(`copilot ${kind(any)} deploy --name ${any.name} --env <env>`)),
    logs: logs(model, workload),
    alarms: alarms(model, workload),
    region: model.region,
  };
}

/** When a job runs; undefined for `none`, which Copilot takes as never by itself. */
export function scheduleOf({ schedule }: Workload): string | undefined {
  return schedule?.expression === "none" ? undefined : schedule?.expression;
}

type At = (path: string[], value: string) => Sourced<string>;

/** `svc` or `job`: the CLI's word. */
export function kind({ type }: Pick<Workload, "type">): "svc" | "job" {
  return type === "Scheduled Job" ? "job" : "svc";
}

function container({ any }: WorkloadModel, at: At): Sourced<string> | undefined {
  const { build, location } = any.image;
  const beside = Object.keys(any.manifest["sidecars"] ?? {}).map((name) => `サイドカー ${code(name)}`);
  if (location !== undefined)
    return at(["image", "location"], `Docker + ECS(${list([code(location), ...beside])})`);
  if (!build) return undefined;
  const args = Object.entries(build.args).map(([name, value]) => code(`${name}=${value}`));
  const target = build.target === undefined ? [] : [`ステージ ${code(build.target)}`];
  return at(
    ["image", "build"],
    `Docker + ECS(${list([code(build.dockerfile), ...args, ...target, ...beside])})`,
  );
}

function orchestration(any: Workload, at: At): Sourced<string> {
  if (any.type === "Static Site") return at(["type"], "CloudFront と S3");
  if (any.type === "Request-Driven Web Service")
    return at(["type"], `App Runner(ポート ${any.image.port ?? 80})`);
  if (any.type === "Scheduled Job") {
    const expression = scheduleOf(any);
    const start = expression === undefined ? "予定なし" : `EventBridge ${code(expression)}(UTC)`;
    return at(["on", "schedule"], `${start} → Step Functions → ECS タスク(Fargate)`);
  }
  const placement =
    any.placement === "private"
      ? "プライベートサブネット"
      : any.placement === "public"
        ? "パブリックサブネット"
        : "指定のサブネット";
  const { PORT: own } = any.variables;
  const inside = own && "value" in own ? [`内側だけのポート ${own.value}`] : [];
  const port = any.image.port === undefined ? inside : [`ポート ${any.image.port}`];
  const path = any.image.port === undefined ? ["network", "vpc", "placement"] : ["image", "port"];
  return at(path, `ECS サービス(${list(["Fargate", placement, ...port])})`);
}

/** Other workloads and environment addons that this one cannot work without. */
function needs(model: Model, { any, name }: WorkloadModel): Sourced<string> | undefined {
  const parts = new Map<string, Position>();
  for (const queue of [any.queue, ...any.topicQueues])
    for (const subscription of queue?.subscriptions ?? [])
      parts.set(`${code(subscription.service)} のトピック`, subscription.at);
  for (const [variable, value] of Object.entries(any.variables)) {
    if (!("value" in value)) continue;
    const host = /^https?:\/\/([\w.-]+)/.exec(value.value)?.[1];
    const called = model.workloads.find(
      (other) =>
        other.name !== name &&
        host !== undefined &&
        (other.any.connect?.alias === host || other.any.discoveryName === host),
    );
    if (called) parts.set(`${code(called.name)}(${code(value.value)})`, any.source(["variables", variable]));
  }
  const exported = new Map<string, string>();
  for (const [, output] of model.environmentAddons?.outputs ?? [])
    if (output.exportName) {
      const text = JSON.stringify(exportName(output.exportName));
      exported.set(text.replace(/^.*\}-?([^"}]*)".*$/, "$1"), output.at.file.split("/").at(-1) ?? "");
    }
  for (const [variable, value] of Object.entries(any.variables)) {
    if (!("fromCfn" in value)) continue;
    const short = value.fromCfn.split("-").at(-1) ?? "";
    const file = exported.get(short);
    if (file !== undefined) parts.set(`環境のアドオン ${code(file)}`, any.source(["variables", variable]));
  }
  const [first] = parts.values();
  return first ? model.sourced(list([...parts.keys()]), first) : undefined;
}

function exportName(node: unknown): unknown {
  const { value, entries } = node as { value?: unknown; entries?: Map<string, { value: unknown }> };
  return entries ? [...entries.values()].map((entry) => exportName(entry.value)) : value;
}

/** What stands around the task: queue, topics, load balancer, addons. */
function service(workload: WorkloadModel, at: At): Sourced<string> | undefined {
  const { any, addons } = workload;
  const parts: string[] = [];
  let path: string[] = ["type"];
  if (any.http) {
    parts.push(`ALB ${code(rooted(any.http.path))}`);
    path = ["http", "path"];
  }
  if (any.type === "Scheduled Job")
    parts.push(...(scheduleOf(any) === undefined ? [] : ["EventBridge"]), "Step Functions");
  if (any.publishes.length > 0) {
    const fifo = any.publishes.every((topic) => topic.fifo) ? " FIFO" : "";
    parts.push(`SNS${fifo} トピック ${any.publishes.length}`);
    path = ["publish", "topics"];
  }
  const { queue } = any;
  if (queue) {
    const dead = queue.deadLetter ? `、${queue.deadLetter.tries} 回で DLQ` : "、DLQ なし";
    const topics = queue.subscriptions.map(({ name }) => code(name));
    const from = topics.length === 0 ? "" : ` ← SNS ${list(topics)}`;
    parts.push(
      `SQS${queue.fifo ? " FIFO" : ""}(可視性 ${duration(queue.visibilityTimeoutSeconds)}${dead}${waiting(any)})${from}`,
    );
    path = ["subscribe", "queue"];
  }
  if (any.connect?.alias !== undefined)
    parts.push(
      `Service Connect ${code(`http://${any.connect.alias}:${any.connect.port ?? any.image.port ?? 80}`)}`,
    );
  const kinds = new Set(
    [...(addons?.resources.values() ?? [])].map(({ type }) => type.split("::")[1] ?? type),
  );
  kinds.delete("IAM");
  if (kinds.size > 0) parts.push(`アドオンの ${list([...kinds].sort())}`);
  return parts.length === 0 ? undefined : at(path, list(parts));
}

/** How long a message may wait before tasks are added. */
function waiting({ manifest }: Workload): string {
  const { count } = manifest as { count?: { queue_delay?: { acceptable_latency?: unknown } } };
  const latency = count?.queue_delay?.acceptable_latency;
  const seconds = typeof latency === "string" ? parseDuration(latency) : undefined;
  return seconds === undefined ? "" : `、滞留 ${duration(seconds)}まで`;
}

function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

/** `staging 256/512 ×1`, in every environment. */
function sizes(model: Model, workload: WorkloadModel): Sourced<string> {
  const timeouts = new Set([...workload.in.values()].map(({ timeoutSeconds }) => timeoutSeconds));
  const parts = [...workload.in].map(([environment, seen]) => {
    const time =
      timeouts.size > 1 && seen.timeoutSeconds !== undefined ? ` ${duration(seen.timeoutSeconds)}` : "";
    return `${environment === unnamed ? "" : `${environment} `}${size(seen)}${time}`;
  });
  const place = workload.any.source(["cpu"]);
  const written = model.workspace.workloads.get(workload.name)?.root;
  const overrides = written?.entries.get("environments");
  return model.sourced(list(parts), overrides?.key ?? place);
}

/** cpu/memory and the number of tasks. */
export function size({ cpu, memory, count, type, manifest }: Workload): string {
  if (type === "Scheduled Job") return `${cpu}/${memory}`;
  const all = (manifest as { count?: { spot?: unknown } }).count?.spot === undefined ? "" : "(Spot)";
  if (typeof count === "number") return `${cpu}/${memory} ×${count}${all}`;
  const range = count.min === count.max ? `${count.min}` : `${count.min}–${count.max}`;
  const spot =
    count.spotFrom === undefined ? "" : count.spotFrom <= 1 ? "(Spot)" : `(${count.spotFrom} 個目から Spot)`;
  return `${cpu}/${memory} ×${range}${spot}`;
}

function deployment({ any, alarms: own }: WorkloadModel, at: At): Sourced<string> {
  if (any.type === "Scheduled Job") return at(["type"], "スタックの更新。次の回から新しいイメージで走る");
  if (any.type === "Static Site") return at(["type"], "S3 へのアップロードと CloudFront の更新");
  if (any.type === "Request-Driven Web Service") return at(["type"], "App Runner の入れ替え");
  const settings = (any.manifest["deployment"] ?? {}) as { rolling?: string };
  const rolling = settings.rolling === "recreate" ? "作り直し(0–100 %)" : "ローリング更新(100–200 %)";
  const ring = own.filter(({ rollsBack }) => rollsBack).map(({ name }) => code(name));
  const alarm = ring.length === 0 ? "" : `と警報 ${list(ring)} `;
  return at(["deployment"], `${rolling}。失敗はサーキットブレーカー${alarm}が戻す`);
}

function pipelines(model: Model, { name, any }: WorkloadModel): Sourced<string> | undefined {
  const stages = stagesOf(model.pipelines, name);
  const [first] = stages;
  if (!first) return model.pipelines.length === 0 ? undefined : model.sourced("なし", any.source(["name"]));
  const names = [...Map.groupBy(stages, ({ pipeline }) => pipeline.name)].map(
    ([pipeline, own]) =>
      `${code(pipeline)}${staged(
        own.map(({ stage }) => stage),
        own.length > 1,
      )}`,
  );
  const after = [...new Set(stages.flatMap((stage) => stage.after))].map((other) => code(other));
  const order = after.length > 0 ? `。${list(after)} の後` : first.stage.deployments ? "。最初に" : "";
  return model.sourced(`${list(names)}${order}`, first.stage.at);
}

/** `(承認あり)`; of a pipeline with several stages, each by its environment: `(test、live 承認あり)`. */
function staged(stages: readonly Stage[], named: boolean): string {
  const parts = stages.map(({ environment, approval }) =>
    [...(named ? [environment] : []), ...(approval ? ["承認あり"] : [])].join(" "),
  );
  return parts.join("") === "" ? "" : `(${list(parts)})`;
}

function logs(model: Model, workload: WorkloadModel): Sourced<string> | undefined {
  const { any, name } = workload;
  if (any.type === "Static Site") return undefined;
  const retention = daysIn(
    new Map([...workload.in].map(([environment, seen]) => [environment, seen.logRetentionDays])),
  );
  const group = code(`/copilot/${model.application}-<env>-${name}`);
  const command = code(`copilot ${kind(any)} logs --name ${name} --env <env>`);
  return model.sourced(
    `CloudWatch Logs ${group}(${retention})、${command}${traced(any)}`,
    any.source(["logging", "retention"]),
  );
}

/** Where Copilot puts a collector beside the task, the task's spans go to X-Ray. */
function traced({ manifest }: Workload): string {
  const { observability } = manifest as { observability?: { tracing?: unknown } };
  return observability?.tracing === "awsxray" ? "。追跡は X-Ray" : "";
}

function alarms(model: Model, { alarms: own, any }: WorkloadModel): Sourced<string> {
  const [first] = own;
  return first
    ? model.sourced(codes(own.map(({ name }) => name)), first.at)
    : model.sourced("なし", any.source(["type"]));
}
