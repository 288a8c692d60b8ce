import { topics } from "./event.ts";
import type { JsonSchema, Promised } from "./schemas.ts";

type Sample = { type: string; version: number; data: unknown };

/** The page of all events, Markdown in Japanese: per event its group, its fields, and the sample of its data. */
export function page(promised: readonly Promised[], samples: readonly Sample[]): string {
  const parts = topics.map((topic) => {
    const events = promised.filter((one) => one.topic === topic);
    return [`## \`${topic}\``, ...events.flatMap((one) => describe(one, samples))].join("\n\n");
  });
  return [
    "# 出来事の一覧",
    "<!-- `npx pnpm@12 --filter @noren/events generate` が schema と見本から書く。手で直さない -->",
    "封筒の欄(`id`、`companyId` など)は全ての出来事に共通で、[event.ts](event.ts) にある。ここには `data` の欄だけを書く。",
    ...parts,
    "",
  ].join("\n\n");
}

function describe(one: Promised, samples: readonly Sample[]): string[] {
  const sample = samples.find(({ type, version }) => type === one.type && version === one.version);
  const rows = fields(one.data, "").map(
    ({ path, words, needed }) => `| \`${path}\` | ${words} | ${needed ? "必須" : "任意"} |`,
  );
  return [
    `### ${one.type} v${one.version}`,
    `group は \`${one.aggregate}\` の ID、公平さの単位は${one.scope === "store" ? "店" : "会社"}。`,
    ["| 欄 | 形 | |", "| --- | --- | --- |", ...rows].join("\n"),
    ["```json", JSON.stringify(sample?.data, null, 2), "```"].join("\n"),
  ];
}

type Field = { path: string; words: string; needed: boolean };

function fields(schema: JsonSchema, prefix: string): Field[] {
  const properties = (schema["properties"] ?? {}) as Record<string, JsonSchema>;
  const required = (schema["required"] ?? []) as string[];
  return Object.entries(properties).flatMap(([name, property]) => {
    const array = property["type"] === "array";
    const path = `${prefix}${name}${array ? "[]" : ""}`;
    const inner = array ? (property["items"] as JsonSchema) : property;
    return [{ path, words: words(inner), needed: required.includes(name) }, ...fields(inner, `${path}.`)];
  });
}

const formats: Record<string, string> = {
  uuid: "UUID",
  date: "日付",
  "date-time": "UTC の時刻",
  email: "メールアドレス",
  uri: "URL",
};
const types: Record<string, string> = {
  string: "文字列",
  integer: "整数",
  number: "数",
  boolean: "真偽",
  object: "組",
  array: "列",
  null: "null",
};

function words(schema: JsonSchema): string {
  if (Array.isArray(schema["enum"])) return schema["enum"].map((value) => `\`${String(value)}\``).join("、");
  if (schema["const"] !== undefined) return `\`${JSON.stringify(schema["const"])}\``;
  const branches = (schema["anyOf"] ?? schema["oneOf"]) as JsonSchema[] | undefined;
  if (branches) return branches.map(words).join(" か ");
  if (schema["additionalProperties"] !== undefined && schema["properties"] === undefined)
    return "名前と値の表";
  const format = formats[String(schema["format"])];
  return `${format ?? types[String(schema["type"])] ?? "何でも"}${limits(schema)}`;
}

function limits(schema: JsonSchema): string {
  const least = (schema["minimum"] ?? (schema["exclusiveMinimum"] === 0 ? 1 : undefined)) as
    | number
    | undefined;
  const most = schema["maximum"] as number | undefined;
  if (least !== undefined && most !== undefined) return `(${least}〜${most})`;
  if (least !== undefined) return `(${least} 以上)`;
  return most === undefined ? "" : `(${most} 以下)`;
}
