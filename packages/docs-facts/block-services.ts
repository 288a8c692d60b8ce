import type { Block } from "./blocks.ts";
import { linkTo } from "./tree.ts";
import { scheduleOf } from "./values-workload.ts";
import { code, codeOr, table } from "./words.ts";

/** In the folder of the manifests: every workload, its type, its code and how it is reached. */
export const serviceTable: Block = (model, dir) => {
  const [first] = model.workloads;
  if (dir !== model.root || !first) return undefined;
  const rows = model.workloads.map(({ name, type, dir: own, code: folder, any }) => {
    const reached =
      any.http === undefined
        ? any.connect?.alias === undefined
          ? any.type === "Scheduled Job"
            ? codeOr(scheduleOf(any), "予定なし")
            : (any.queue?.subscriptions.map((topic) => code(topic.name)).join("、") ?? "")
          : `Service Connect ${any.connect.port ?? any.image.port ?? ""}`
        : `ALB ${code(`/${any.http.path.replace(/^\//, "")}`)}、${any.image.port ?? ""}`;
    return [
      `[${name}](${linkTo(dir, own)})`,
      type,
      folder === undefined ? "" : `[${folder}](${linkTo(dir, folder)})`,
      reached === "" ? "なし" : reached,
    ];
  });
  return model.sourced(table(["ワークロード", "種類", "コード", "入口"], rows), first.any.source(["type"]));
};
