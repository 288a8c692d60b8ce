import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Facts, Project } from "remark-lint-claude-md";
import { copilotFacts, type CopilotFactsOptions } from "./index.ts";

/** A file's text; a link to another path, as git stores it. */
export type Files = Record<string, string>;

/** The facts of a workspace that exists in memory only: `shop`, with a package.json in its root unless given. */
export function factsOf(files: Files, options: CopilotFactsOptions = {}): Facts {
  const all: Files = {
    "package.json": '{ "name": "shop" }',
    "copilot/.workspace": "application: shop\n",
    ...files,
  };
  return load(Object.keys(all), (path) => all[path], options);
}

/** The facts of a checkout, from the files that `paths` lists. */
export function factsAt(folder: string, paths: readonly string[], options: CopilotFactsOptions = {}): Facts {
  return load(
    paths,
    (path) => {
      try {
        return readFileSync(join(folder, path), "utf8");
      } catch {
        return readlinkSync(join(folder, path));
      }
    },
    options,
  );
}

function load(
  paths: readonly string[],
  read: (path: string) => string | undefined,
  options: CopilotFactsOptions,
): Facts {
  const provider = copilotFacts(options);
  const inputs = new Set(provider.inputs({ files: [...paths].sort() } as unknown as Project));
  return provider.load((path) => {
    const text = inputs.has(path) ? read(path) : undefined;
    if (text === undefined) throw new Error(`${path} is no input`);
    return text;
  });
}
