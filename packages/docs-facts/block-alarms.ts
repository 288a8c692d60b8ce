import type { Alarm } from "./alarms.ts";
import type { Block } from "./blocks.ts";
import { codes, list, table } from "./words.ts";

/** In the folder of the manifests: who has which alarms; one that rings during a deployment may roll it back. */
export const alarmTable: Block = (model, dir) => {
  if (dir !== model.root) return undefined;
  const owned = [
    ...model.workloads.map(({ name, alarms }) => ({ owner: name, alarms })),
    { owner: "環境", alarms: model.environmentAlarms },
  ].filter(({ alarms }) => alarms.length > 0);
  const [first] = owned.flatMap(({ alarms }) => alarms);
  if (!first) return undefined;
  // Workloads that share a patch have the same alarms: one row for all of them.
  const alike = Map.groupBy(owned, ({ alarms }) =>
    alarms.map(({ name, rollsBack }) => `${name} ${rollsBack}`).join("\n"),
  );
  const rows = [...alike.values()].map((own) => {
    const alarms = own[0]?.alarms ?? [];
    return [
      list(own.map(({ owner }) => owner)),
      named(alarms.filter(({ rollsBack }) => rollsBack)),
      named(alarms.filter(({ rollsBack }) => !rollsBack)),
    ];
  });
  return model.sourced(table(["鳴らすもの", "配備を巻き戻す警報", "知らせるだけの警報"], rows), first.at);
};

function named(alarms: readonly Alarm[]): string {
  return alarms.length === 0 ? "なし" : codes(alarms.map(({ name }) => name));
}
