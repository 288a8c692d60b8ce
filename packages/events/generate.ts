import { readFileSync, writeFileSync } from "node:fs";
import type { Envelope } from "./events.ts";
import { page } from "./page.ts";
import { broken, promises, type Promised } from "./schemas.ts";

const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");

/** The committed schemas: what was promised to every consumer, and may not be taken back. */
export const committed = (): Promised[] => JSON.parse(read("schemas.json")) as Promised[];

/** What `schemas.json` and `EVENTS.md` must say. */
export function generated(): { "schemas.json": string; "EVENTS.md": string } {
  const now = promises();
  return {
    "schemas.json": `${JSON.stringify(now, null, 2)}\n`,
    "EVENTS.md": page(now, JSON.parse(read("samples.json")) as Envelope[]),
  };
}

if (import.meta.main) {
  const taken = broken(committed(), promises());
  if (taken.length > 0) {
    console.error(
      `Nothing was written. The code breaks what schemas.json promises:\n- ${taken.join("\n- ")}`,
    );
    process.exitCode = 1;
  } else {
    for (const [name, text] of Object.entries(generated()))
      writeFileSync(new URL(name, import.meta.url), text);
  }
}
