import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { UserError } from "./user-error.ts";
import { copyWorkspace } from "./workspace-copy.ts";

/** The steps of the check that a planted mistake may be for, in their order. */
export const plantedSteps = [
  "manifests",
  "render",
  "compare",
  "link",
  "agree",
  "alarms",
  "lambdas",
  "lint",
  "gate",
] as const;
export type PlantedStep = (typeof plantedSteps)[number];

const mistake = z.strictObject({
  /** In a few words. */
  mistake: z.string().min(1),
  /** Which step must find it. */
  step: z.enum(plantedSteps),
  /** Workloads and pipelines that it needs; the environment is always there. */
  with: z.array(z.string()).default([]),
  /** By path: the whole file, or replacements of a pattern that must match. */
  files: z.record(
    z.string(),
    z.union([z.string(), z.array(z.strictObject({ replace: z.string(), by: z.string() })).min(1)]),
  ),
  /** What the message must contain. */
  says: z.string().min(1),
});

const schema = z.strictObject({
  /** The one that is rendered and rehearsed. */
  environment: z.string(),
  mistakes: z.array(mistake),
});

/** A mistake to make in a copy of the workspace, and what must be said of it. */
export type Planted = z.infer<typeof mistake>;

/** Reads the list of mistakes. */
export function readPlanted(path: string): z.infer<typeof schema> {
  if (!existsSync(path))
    throw new UserError(
      `There is no list of mistakes at ${path}.`,
      "It says what to plant, where, and what must be said.",
    );
  const parsed = schema.safeParse(parse(readFileSync(path, "utf8")));
  if (parsed.success) return parsed.data;
  throw new UserError(
    `${path} is no list of mistakes:\n  ${z.prettifyError(parsed.error).replaceAll("\n", "\n  ")}`,
  );
}

/**
 * Makes a copy of the workspace at `target` and the mistake in it. Nothing of the workspace itself is written: what the
 * copy only links to is copied before it is changed. A replacement that matches nothing is an error: the list is stale.
 */
export function plant({ mistake, files }: Planted, root: string, target: string): void {
  copyWorkspace(root, target);
  for (const [file, change] of Object.entries(files)) {
    detach(target, file);
    const path = join(target, file);
    const before = existsSync(path) ? readFileSync(path, "utf8") : undefined;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      path,
      typeof change === "string" ? change : replaced(change, before, `${mistake}: ${file}`),
    );
  }
}

function replaced(
  changes: { replace: string; by: string }[],
  before: string | undefined,
  what: string,
): string {
  if (before === undefined) throw new UserError(`${what} is not there.`, "Plant the mistake elsewhere.");
  return changes.reduce((text, { replace, by }) => {
    const pattern = new RegExp(replace, "m");
    if (!pattern.test(text))
      throw new UserError(
        `${what} has nothing like ${replace}.`,
        "The workspace changed: plant the mistake elsewhere.",
      );
    return text.replace(pattern, () => by);
  }, before);
}

/** Turns the link to a folder of the workspace, on the way to a file, into a copy of it. */
function detach(target: string, file: string): void {
  const top = join(target, file.split("/")[0] ?? "");
  if (!lstatSync(top, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const own = `${top}.copy`;
  // Of the folder behind the link: the copy of a link would be a link, and what is written would be written there.
  cpSync(realpathSync(top), own, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source, copy) => {
      if (basename(source) !== "node_modules") return true;
      mkdirSync(dirname(copy), { recursive: true });
      symlinkSync(source, copy);
      return false;
    },
  });
  rmSync(top);
  renameSync(own, top);
}
