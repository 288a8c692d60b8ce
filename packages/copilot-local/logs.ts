import { createWriteStream, mkdirSync, renameSync, rmSync, statSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import { text } from "./text.ts";

export interface LogLine {
  /** Counts up over all lines of the name; lets a page ask for what is new. */
  id: number;
  /** When the runner read it. */
  at: number;
  /** Who wrote it. */
  name: string;
  text: string;
}

export interface Logs {
  /** Takes one line of a workload: to its file, to memory, to whoever listens. */
  write(name: string, text: string): void;
  /**
   * The newest lines of a workload, or of all under the name `*`, oldest first; with `search` only those that hold the
   * text, in any case.
   */
  tail(name: string, options?: { count?: number; after?: number; search?: string }): LogLine[];
  listen(listener: (name: string, line: LogLine) => void): void;
  close(): Promise<void>;
}

const kept = 2_000;
const largestFile = 10 * 1024 * 1024;

/** Logs as `<directory>/<name>.log`; what an earlier start wrote is kept up to 10 MB, then once more as `.log.1`. */
export function openLogs(directory: string): Logs {
  mkdirSync(directory, { recursive: true });
  const books = new Map<string, { file: WriteStream; lines: LogLine[]; count: number }>();
  /** Everybody's lines as they came, in memory only. */
  const all: { lines: LogLine[]; count: number } = { lines: [], count: 0 };
  const listeners: ((name: string, line: LogLine) => void)[] = [];
  const book = (name: string) => {
    let found = books.get(name);
    if (!found) {
      const path = join(directory, `${name}.log`);
      rotate(path);
      const file = createWriteStream(path, { flags: "a" });
      // A full disk must not end the workspace; the lines stay in memory and on the terminal.
      file.on("error", () => {});
      found = { file, lines: [], count: 0 };
      books.set(name, found);
    }
    return found;
  };
  return {
    write(name, text) {
      const own = book(name);
      const { file } = own;
      const at = Date.now();
      const line = { id: ++own.count, at, name, text };
      own.lines.push(line);
      all.lines.push({ ...line, id: ++all.count });
      for (const { lines } of [own, all]) if (lines.length > kept) lines.splice(0, lines.length - kept);
      file.write(`${text}\n`);
      for (const listener of listeners) listener(name, line);
    },
    tail(name, { count = 200, after = 0, search = "" } = {}) {
      const wanted = search.toLowerCase();
      const lines = name === "*" ? all.lines : (books.get(name)?.lines ?? []);
      return lines
        .filter((line) => line.id > after && (wanted === "" || line.text.toLowerCase().includes(wanted)))
        .slice(-count);
    },
    listen(listener) {
      listeners.push(listener);
    },
    async close() {
      await Promise.all([...books.values()].map(({ file }) => new Promise<void>((done) => file.end(done))));
    },
  };
}

function rotate(path: string) {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < largestFile) return;
  rmSync(`${path}.1`, { force: true });
  renameSync(path, `${path}.1`);
}

/** One line for people: a JSON log entry as time, level, message and the rest; anything else as it is. */
export function readable(line: string): string {
  if (!line.startsWith("{")) return line;
  try {
    const {
      time,
      level,
      msg,
      message,
      service: _service,
      env: _env,
      pid: _pid,
      hostname: _host,
      // How CloudWatch finds the figures, which stand beside it.
      _aws: _metrics,
      ...rest
    } = JSON.parse(line) as Record<string, unknown>;
    const err = rest.err as { message?: string; stack?: string } | undefined;
    delete rest.err;
    const clock = typeof time === "string" || typeof time === "number" ? clockOf(new Date(time)) : "";
    const words = [clock, levelOf(level), text(msg ?? message)];
    for (const [key, value] of Object.entries(rest)) {
      // What a setup command has to tell people is for people here, too.
      if (key === "notes" && Array.isArray(value))
        for (const note of value as { label: string; value: string }[])
          words.push(`\n    ${note.label}: ${note.value}`);
      else words.push(`${key}=${text(value)}`);
    }
    if (err) words.push(err.stack ? `\n${err.stack}` : (err.message ?? ""));
    return words.filter(Boolean).join(" ");
  } catch {
    return line;
  }
}

function clockOf(date: Date): string {
  return Number.isNaN(date.getTime()) ? "" : date.toLocaleTimeString("sv-SE");
}

const levels: Record<number, string> = {
  10: "TRACE",
  20: "DEBUG",
  30: "INFO",
  40: "WARN",
  50: "ERROR",
  60: "FATAL",
};

function levelOf(level: unknown): string {
  return typeof level === "number" ? (levels[level] ?? String(level)) : text(level).toUpperCase();
}
