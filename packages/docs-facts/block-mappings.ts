import type { Block } from "./blocks.ts";
import { rowsOf } from "./mappings.ts";
import { code, table } from "./words.ts";

/** In the folder of the addons that all environments share: what their mappings give each, where it differs. */
export const mappingTable: Block = (model, dir) => {
  const { root, environmentAddons: addons, environments } = model;
  const place = addons?.mappings?.at;
  if (dir !== `${root}/environments/addons` || !place) return undefined;
  const rows = rowsOf(addons.mappings, environments)
    .filter(({ of }) => new Set(of.values()).size > 1)
    .map(({ key, of }) => [code(key), ...environments.map((name) => shown(of.get(name)))]);
  return rows.length === 0 ? undefined : model.sourced(table(["アドオンの値", ...environments], rows), place);
};

function shown(value: string | undefined): string {
  return value === undefined ? "–" : value === "" ? "なし" : value;
}
