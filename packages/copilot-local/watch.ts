import { readdirSync, watch, type FSWatcher } from "node:fs";
import { join } from "node:path";

export interface Watcher {
  close(): void;
}

const ignoredFolder = /^(\..*|node_modules|dist|coverage)$/;
const ignoredFile = /^\.|~$|\.(md|log|tsbuildinfo)$|\.(test|e2e)\.[cm]?tsx?$/;

/**
 * Calls `onSave` with the watched folder (one of `folders`) in which a source file changed, a moment after the last of
 * a burst of changes. Dependencies, built output, documents and tests do not count.
 */
export function watchFolders(
  folders: Iterable<string>,
  onSave: (folder: string) => void,
  quietMs = 150,
): Watcher {
  const watchers = new Map<string, FSWatcher>();
  const timers = new Map<string, NodeJS.Timeout>();
  const saved = (folder: string) => {
    clearTimeout(timers.get(folder));
    timers.set(
      folder,
      setTimeout(() => onSave(folder), quietMs),
    );
  };
  const add = (folder: string, directory: string) => {
    if (watchers.has(directory)) return;
    try {
      // One watcher a folder, not a recursive one: on Linux Node would watch every file of node_modules too.
      const watcher = watch(directory, (event, name) => {
        if (name === null || ignoredFolder.test(name) || ignoredFile.test(name)) return;
        if (event === "rename") addAll(folder, join(directory, name));
        saved(folder);
      });
      watcher.on("error", () => {
        watcher.close();
        watchers.delete(directory);
      });
      watchers.set(directory, watcher);
    } catch {
      // Gone again, or the system's limit of watches is reached: the files that are watched still restart.
    }
  };
  const addAll = (folder: string, directory: string) => {
    let entries;
    try {
      entries = readdirSync(directory, { withFileTypes: true });
    } catch {
      return;
    }
    add(folder, directory);
    for (const entry of entries) {
      if (entry.isDirectory() && !ignoredFolder.test(entry.name)) addAll(folder, join(directory, entry.name));
    }
  };
  for (const folder of folders) addAll(folder, folder);
  return {
    close() {
      for (const watcher of watchers.values()) watcher.close();
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
