import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface WorkspaceCopy {
  root: string;
  /** Changes a file for the time of `work`; it is as before afterwards, or gone again. */
  changed<T>(file: string, change: (text: string) => string, work: () => Promise<T>): Promise<T>;
}

/**
 * A copy of the workspace that the CLI may write into and a rehearsal may break: `copilot/` is copied, links kept, and
 * everything else is a link to the real thing.
 */
export function copyWorkspace(root: string, target: string): WorkspaceCopy {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(root)) {
    if (name === "copilot")
      cpSync(join(root, name), join(target, name), { recursive: true, verbatimSymlinks: true });
    else if (name !== ".git" && name !== ".local") symlinkSync(join(root, name), join(target, name));
  }
  return {
    root: target,
    changed: async (file, change, work) => {
      const path = join(target, file);
      const before = read(path);
      writeFileSync(path, change(before ?? ""));
      try {
        return await work();
      } finally {
        if (before === undefined) rmSync(path);
        else writeFileSync(path, before);
      }
    },
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The environment's addon templates of a workspace, read. */
export function addonFiles(root: string): { file: string; text: string }[] {
  const folder = "copilot/environments/addons";
  let names: string[];
  try {
    names = readdirSync(join(root, folder));
  } catch {
    return [];
  }
  return names
    .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith("addons.parameters."))
    .map((name) => ({ file: `${folder}/${name}`, text: read(join(root, folder, name)) ?? "" }));
}
