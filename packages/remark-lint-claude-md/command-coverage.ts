import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { check } from "./check.ts";
import type { Call } from "./cli.ts";
import { progress } from "./command-check.ts";
import { badge, coverageOf, coverageTable } from "./coverage.ts";
import { SetUpError } from "./set-up-error.ts";

/** Counts, prints, and fails below a share. */
export async function coverageCommand({ cwd, options, cache, open }: Call): Promise<number> {
  const least = options["fail-under"] === undefined ? 0 : Number(options["fail-under"]);
  if (!(least >= 0 && least <= 100)) throw new SetUpError("`--fail-under` must be a number from 0 to 100.");
  const project = await open();
  const coverage = coverageOf(project, check(project, [""], progress()));
  cache.save(true);
  process.stdout.write(
    options.json ? `${JSON.stringify(coverage, undefined, 2)}\n` : coverageTable(coverage),
  );
  if (options.badge !== undefined) writeFileSync(resolve(cwd, options.badge), badge(coverage.percent));
  return coverage.percent < least ? 1 : 0;
}
