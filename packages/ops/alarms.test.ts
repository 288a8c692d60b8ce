import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandLine } from "./run.ts";
import { root } from "./testing.ts";

const read = (path: string) => readFileSync(join(root, path), "utf8");
const runbook = read("docs/alarms.md");

/** Every alarm of every stack that Copilot renders: its own name, and what it tells people. */
const alarms = readdirSync(join(root, "rendered"))
  .filter((file) => file.endsWith(".yml"))
  .flatMap((file) =>
    // The description may go over lines; the next property ends it.
    [...read(`rendered/${file}`).matchAll(/AlarmName:([^]*?)AlarmDescription:([^]*?)\n +Namespace:/g)].map(
      ([, name = "", text = ""]) => ({
        file,
        name: /\$\{(?:Env|WorkloadName|EnvName)\}-([a-z-]+)["'\s]*$/.exec(name)?.[1] ?? name,
        text: text.replaceAll(/\s+/g, " "),
      }),
    ),
  );

/** `${EnvName}` of a template, and a person's `…`, as somebody would type them. */
function words(line: string): string[] {
  const typed = line
    .replaceAll(/\$\{Env(?:Name)?\}/g, "production")
    .replaceAll("${WorkloadName}", "worker-item");
  return [...typed.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "").slice(2);
}

/** Of lines, those that the tool refuses, with what it says. */
function refused(lines: string[]): string[] {
  return [...new Set(lines)].flatMap((line) => {
    try {
      commandLine(words(line));
      return [];
    } catch (error) {
      return [`${line}: ${(error as Error).message}`];
    }
  });
}

test("every alarm has its section in the runbook, and every section its alarm", () => {
  const sections = [...runbook.matchAll(/^### (.+)$/gm)].map(([, name]) => name);
  expect(new Set(sections).size).toBe(sections.length);
  expect(new Set(alarms.map(({ name }) => name))).toEqual(new Set(sections));
});

describe("what an alarm tells", () => {
  test("is how urgent it is, what is wrong, the first command, and its section", () => {
    expect(alarms.length).toBeGreaterThan(300);
    const wrong = alarms.filter(
      ({ name, text }) =>
        !new RegExp(
          `\\[(page|warn)\\] .+\\. First: (pnpm ops|copilot|aws) .+ \\(docs/alarms.md, ${name}\\)`,
        ).test(text),
    );
    expect(wrong).toEqual([]);
  });

  test("about messages is a command of this tool, which takes it as it stands", () => {
    const lines = alarms.flatMap(({ text }) => /First: (pnpm ops .+) \(docs/.exec(text)?.[1] ?? []);
    expect(lines.length).toBeGreaterThan(200);
    expect(refused(lines)).toEqual([]);
  });
});

test("every line of the runbook that names this tool is one that it takes", () => {
  const lines = [...runbook.matchAll(/`(pnpm ops [^`]+)`/g)].map(([, line = ""]) => line);
  expect(lines.length).toBeGreaterThan(20);
  // `pnpm ops` alone, in prose, is none.
  expect(refused(lines)).toEqual([]);
});
