import type { Alarm } from "./alarms.ts";
import type { Block } from "./blocks.ts";
import { code, list, table } from "./words.ts";

/** In the folder of the manifests: every alarm, whose it is, and whether a deployment that makes it ring is rolled back. */
export const alarmTable: Block = (model, dir) => {
  if (dir !== model.root) return undefined;
  const owned = [
    ...model.workloads.flatMap(({ name, alarms }) => alarms.map((alarm) => ({ alarm, owner: name }))),
    ...model.environmentAlarms.map((alarm) => ({ alarm, owner: "環境" })),
  ];
  const [first] = owned;
  if (!first) return undefined;
  const rows = [...Map.groupBy(owned, ({ alarm }) => alarm.name)].map(([name, each]) => [
    code(name),
    list(each.map(({ owner }) => owner)),
    rollsBack(each.map(({ alarm }) => alarm)),
  ]);
  return model.sourced(table(["警報", "鳴らすもの", "配備を巻き戻す"], rows), first.alarm.at);
};

function rollsBack(alarms: readonly Alarm[]): string {
  const count = alarms.filter((alarm) => alarm.rollsBack).length;
  return count === alarms.length ? "はい" : count === 0 ? "いいえ" : "一部";
}
