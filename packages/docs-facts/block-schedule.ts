import type { Block } from "./blocks.ts";
import { linkTo, parentOf } from "./tree.ts";
import { scheduleOf } from "./values-workload.ts";
import { codeOr, duration, list, table } from "./words.ts";

/** In a folder that holds the code of scheduled jobs: when each runs, in every environment where that differs. */
export const scheduleTable: Block = (model, dir) => {
  const jobs = model.workloads.filter(
    ({ type, code: folder }) => type === "Scheduled Job" && folder !== undefined && parentOf(folder) === dir,
  );
  const [first] = jobs;
  if (dir === "" || !first) return undefined;
  const rows = jobs.map(({ name, code: folder = "", in: seen, any }) => {
    const each = (tell: (job: typeof any) => string | undefined): string => {
      const told = [...seen].map(([environment, job]) => ({ environment, text: tell(job) ?? "なし" }));
      const [usual] = [...Map.groupBy(told, ({ text }) => text).entries()].toSorted(
        ([, a], [, b]) => b.length - a.length,
      );
      const others = told.filter(({ text }) => text !== usual?.[0]);
      return list([usual?.[0] ?? "", ...others.map(({ environment, text }) => `${environment} ${text}`)]);
    };
    return [
      `[${name}](${linkTo(dir, folder)})`,
      each((job) => codeOr(scheduleOf(job), "なし")),
      each((job) => (job.timeoutSeconds === undefined ? undefined : duration(job.timeoutSeconds))),
      each((job) => `${job.retries ?? 0} 回`),
    ];
  });
  const head = ["ジョブ", "予定(UTC)", "制限時間", "やり直し"];
  return model.sourced(table(head, rows), first.any.source(["on", "schedule"]));
};
