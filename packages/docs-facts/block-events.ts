import type { Block } from "./blocks.ts";
import { code, list, table } from "./words.ts";

/** In the folder that defines the events: each topic with its events and their versions. */
export const eventTable: Block = ({ events, eventFolder }, dir) => {
  const [first] = events;
  if (dir !== eventFolder || !first) return undefined;
  const rows = [...Map.groupBy(events, ({ topic }) => topic)].map(([topic, own]) => [
    code(topic),
    list(own.map(({ type, version }) => `${code(type)}${version === "" ? "" : ` v${version}`}`)),
  ]);
  return { value: table(["トピック", "出来事と版"], rows), file: first.file, line: first.line };
};
