import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Where a workspace is read from: the disk, or what somebody else knows of it. Paths are relative to its root, with `/`. */
export interface Files {
  /** The names in a folder, sorted; undefined where there is none. */
  list(folder: string): string[] | undefined;
  /** The text of a file, links followed; undefined where there is none. */
  read(file: string): string | undefined;
}

export function filesOnDisk(root: string): Files {
  const stat = (path: string) => {
    try {
      return statSync(join(root, path), { throwIfNoEntry: false });
    } catch {
      // A file in the place of a folder is no error, and older Nodes throw there.
      return undefined;
    }
  };
  return {
    list: (folder) => (stat(folder)?.isDirectory() ? readdirSync(join(root, folder)).toSorted() : undefined),
    read: (file) => (stat(file)?.isFile() ? readFileSync(join(root, file), "utf8") : undefined),
  };
}
