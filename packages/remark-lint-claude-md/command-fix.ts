import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Call } from "./cli.ts";
import { progress } from "./command-check.ts";
import { diff } from "./diff.ts";
import { withoutMark } from "./extract.ts";
import { fixAll } from "./fix.ts";
import type { Project } from "./project.ts";
import { SetUpError } from "./set-up-error.ts";

/** Writes what can be fixed, or with `--dry-run` prints it. */
export async function fixCommand({ root, options, cache, open, paths }: Call): Promise<number> {
  let project: Project | undefined;
  const fixed = await fixAll(async (texts) => (project = await open(texts)), {
    paths,
    suggest: options.suggest ?? false,
    onProgress: progress(),
  });
  cache.save(false);
  for (const { path, before, after } of fixed)
    if (options["dry-run"]) process.stdout.write(diff(path, before, after));
    else replace(join(root, project?.original(path) ?? path), before, after);
  if (options["dry-run"]) return fixed.length > 0 ? 1 : 0;
  for (const { path } of fixed) process.stdout.write(`${path}\n`);
  process.stderr.write(
    `claude-md: ${fixed.length} document${fixed.length === 1 ? "" : "s"} fixed; run \`claude-md check\` for the rest\n`,
  );
  return 0;
}

/** Keeps the byte order mark, and touches no file that changed meanwhile or is not UTF-8. */
function replace(file: string, before: string, after: string): void {
  const bytes = readFileSync(file);
  const text = bytes.toString("utf8");
  if (!Buffer.from(text, "utf8").equals(bytes))
    throw new SetUpError(`\`${file}\` is not UTF-8: mend it by hand.`);
  if (withoutMark(text) !== before)
    throw new SetUpError(`\`${file}\` has just been changed: run the fix again.`);
  writeFileSync(file, text.slice(0, text.length - before.length) + after);
}
