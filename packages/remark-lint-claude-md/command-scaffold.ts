import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Call } from "./cli.ts";
import { isWithin } from "./paths.ts";
import { scaffold } from "./scaffold.ts";

/** Writes the documents that are missing; never over one that is there. */
export async function scaffoldCommand({ root, open, paths }: Call): Promise<number> {
  const project = await open();
  const asked = paths(project);
  const missing = project.dirs.filter(
    (dir) => !project.documented(dir) && asked.some((path) => isWithin(dir, path)),
  );
  // Those that are being written may be linked to already.
  const then = {
    ...project,
    documented: (dir: string) => missing.includes(dir) || project.documented(dir),
  };
  for (const dir of missing) {
    const path = project.docPath(dir);
    // Git may not know a file that is there: an ignored one is left alone, too.
    writeFileSync(join(root, path), scaffold(dir, then), { flag: "wx" });
    process.stdout.write(`${path}\n`);
  }
  process.stderr.write(
    missing.length === 0
      ? "claude-md: no directory is without a document\n"
      : "claude-md: now write what only you know; `claude-md check` says what is missing\n",
  );
  return 0;
}
