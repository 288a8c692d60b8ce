import {
  accessSync,
  constants,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "./identity.ts";
import { UserError } from "./user-error.ts";

/** What lies in the data folder while a runner uses it. */
interface LockFile extends ProcessIdentity {
  /** The dashboard's address. */
  url: string;
  /** Leaders of the process groups that this runner started, so that the next start can end what a crash left. */
  groups: ProcessIdentity[];
}

export interface Lock {
  /** What a runner that died without stopping had left running; empty after a clean stop. */
  leftBehind: ProcessIdentity[];
  update(change: { url?: string; groups?: ProcessIdentity[] }): void;
  release(): void;
}

/**
 * Makes `directory` (created when missing) belong to this process alone. A lock of a dead process is taken over.
 * Throws a UserError that names the process and its dashboard when another runner is using the directory.
 */
export function lock(directory: string): Lock {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UserError(
      `nothing can be kept in ${directory}: ${(error as Error).message}.`,
      "Make it a folder that you may write to, or give another one: npm start -- --data <dir>",
    );
  }
  const file = join(directory, "lock.json");
  const self = identify(process.pid);
  if (!self) throw new Error(`the system does not tell when process ${process.pid} started`);
  const content: LockFile = { ...self, url: "", groups: [] };
  // Written beside and then put in place in one step: nobody ever reads half a lock.
  const draft = `${file}.${process.pid}.draft`;
  const put = (place: (from: string, to: string) => void) => {
    writeFileSync(draft, JSON.stringify(content, null, 2));
    try {
      place(draft, file);
    } finally {
      rmSync(draft, { force: true });
    }
  };
  let leftBehind: ProcessIdentity[] = [];

  for (let attempt = 0; ; attempt++) {
    try {
      put(linkSync);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt > 5) throw error;
    }
    const held = readLock(file);
    if (held && isAlive(held)) {
      throw new UserError(
        `already running: process ${held.pid} uses ${directory}.`,
        `Its dashboard is ${held.url || "starting"}. Stop it there with Ctrl-C (or kill ${held.pid}), or give this one its own folder and ports: --data <dir> --free-ports.`,
      );
    }
    if (held) leftBehind = held.groups.filter(isAlive);
    // Moved aside first: of two starts that see the same dead lock, only one moves it.
    const aside = `${file}.${process.pid}`;
    try {
      renameSync(file, aside);
      const moved = readLock(aside);
      if (moved && isAlive(moved)) renameSync(aside, file);
      else rmSync(aside, { force: true });
    } catch {
      // The other start was quicker; look again.
    }
  }

  return {
    leftBehind,
    update(change) {
      Object.assign(content, change);
      put(renameSync);
    },
    release() {
      if (readLock(file)?.pid === process.pid) rmSync(file, { force: true });
    },
  };
}

/** Reads it; undefined when there is none, or none that can be read. */
export function readLock(file: string): LockFile | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as LockFile;
  } catch {
    return undefined;
  }
}
