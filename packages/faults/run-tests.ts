import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** How one test ended. */
export type Outcome = { title: string; status: string; why: string };

type Results = {
  testResults: {
    message: string;
    assertionResults: { title: string; status: string; failureMessages: string[] }[];
  }[];
};

const config = fileURLToPath(new URL("../../vitest.config.ts", import.meta.url));

/**
 * Runs the tests of one file whose names match, and returns those that were not skipped. Throws when the file cannot be
 * loaded: that says nothing about a test.
 */
export function runTests(file: string, pattern: string): Outcome[] {
  const cwd = dirname(file);
  const results = join(cwd, `results-${process.pid}.json`);
  const args = ["run", "--config", config, "--reporter", "json", "--outputFile", results, "-t", pattern];
  const { stderr, stdout } = spawnSync("vitest", [...args, basename(file)], { cwd, encoding: "utf8" });
  if (!existsSync(results)) throw new Error(`vitest did not run ${file}:\n${stdout}\n${stderr}`);
  const files = (JSON.parse(readFileSync(results, "utf8")) as Results).testResults;
  rmSync(results);
  const broken = files.find(({ assertionResults, message }) => assertionResults.length === 0 && message);
  if (broken) throw new Error(`${file} cannot be loaded:\n${broken.message}`);
  return files
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "passed" || status === "failed")
    .map(({ title, status, failureMessages }) => ({ title, status, why: failureMessages.join("\n") }));
}

/** A title, or its beginning, as a pattern; `%s` stands for whatever test.for puts there. */
export function patternOf(title: string): string {
  return title.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("%s", ".*");
}
