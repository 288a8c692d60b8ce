import type { Claim } from "remark-lint-claude-md";
import { type Model, unnamed, type WorkloadModel } from "./model.ts";
import { scheduleOf, size } from "./values-workload.ts";

/** Sizes per environment, ports, tries, times: only in the documents of that workload. */
export function workloadClaims(model: Model, workload: WorkloadModel): Claim[] {
  const { any, dir, code } = workload;
  const files = [dir, ...(code === undefined ? [] : [code])].map((each) => `${each}/*.md`);
  const claims: Claim[] = [];
  for (const [environment, seen] of workload.in)
    if (environment !== unnamed)
      claims.push({
        type: "value",
        near: new RegExp(String.raw`\b${environment}\b`),
        pattern: new RegExp(String.raw`\b${environment} ?(?:は ?)?(\d+\/\d+)\b`),
        truth: model.sourced(size(seen).split(" ")[0] ?? "", seen.source(["cpu"])),
        in: files,
      });
  if (any.image.port !== undefined)
    claims.push({
      type: "value",
      near: /ポート|port/i,
      pattern: /(?:ポート ?|\bport )(\d{2,5})\b/,
      truth: model.sourced(String(any.image.port), any.source(["image", "port"])),
      in: files,
    });
  const tries = any.queue?.deadLetter?.tries;
  if (tries !== undefined)
    claims.push({
      type: "value",
      near: /DLQ|dead.letter/i,
      pattern: /(?<=(?:試行|受信) ?)\d+(?= ?回)|\d+(?= ?回(?:の受信|で DLQ))/,
      truth: model.sourced(String(tries), any.source(["subscribe", "queue", "dead_letter", "tries"])),
      in: files,
    });
  return [...claims, ...timeClaims(model, workload, files)];
}

/** When a job runs: its expression, and the time of day that a daily one means. */
function timeClaims(model: Model, { name, any, in: seen }: WorkloadModel, files: string[]): Claim[] {
  const usual = scheduleOf(any);
  if (usual === undefined) return [];
  const at = any.source(["on", "schedule"]);
  const others = [...seen.values()].flatMap((each) => scheduleOf(each) ?? []);
  // What another environment has is as true.
  const known = [...new Set(others)].map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const claims: Claim[] = [
    {
      type: "value",
      near: /`/,
      pattern: new RegExp(
        String.raw`${"`"}(?!(?:${known.join("|")})${"`"})((?:[\d*,/-]+ ){4}[\w*,/#-]+)${"`"}`,
      ),
      truth: model.sourced(usual, at),
      in: files,
    },
  ];
  const [, minute, hour] = /^(\d+) (\d+) \* \* \*$/.exec(usual) ?? [];
  if (minute === undefined || hour === undefined || known.length > 1) return claims;
  for (const [zone, offset] of [
    ["UTC", 0],
    ["JST", 9],
  ] as const) {
    const time = `${String((Number(hour) + offset) % 24).padStart(2, "0")}:${minute.padStart(2, "0")}`;
    const pattern = new RegExp(String.raw`(\d{1,2}:\d{2}) ?[((]?${zone}`);
    const truth = model.sourced(time, at);
    claims.push(
      { type: "value", near: /毎日|毎晩|daily|every (?:day|night)/i, pattern, truth, in: files },
      // Beside the job's name, where all are listed.
      {
        type: "value",
        near: new RegExp(String.raw`\b${name}\b`),
        pattern,
        truth,
        in: [`${model.root}/*.md`],
      },
    );
  }
  return claims;
}
