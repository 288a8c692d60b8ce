import { spawnSync } from "node:child_process";
import { constants, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import type { Source } from "./project.ts";
import { SetUpError } from "./set-up-error.ts";

function git(
  cwd: string,
  args: string[],
  input?: string,
): { status: number; stdout: string; stderr: string } {
  const run = spawnSync("git", args, { cwd, input, encoding: "utf8", maxBuffer: 2 ** 30 });
  if (run.error)
    throw new SetUpError(`git cannot be started: ${run.error.message}. Install git and run the check again.`);
  return { status: run.status ?? 1, stdout: run.stdout, stderr: run.stderr };
}

/**
 * The top level of the repository around `cwd`.
 *
 * @throws SetUpError outside a repository.
 */
export function repositoryRoot(cwd: string): string {
  const { status, stdout, stderr } = git(cwd, ["rev-parse", "--show-toplevel"]);
  if (status !== 0)
    throw new SetUpError(
      `\`${cwd}\` is not in a git repository: ${stderr.trim()}. The documents are checked against what git knows: run this inside one.`,
    );
  return stdout.replace(/\r?\n$/, "");
}

/**
 * What `git add -A` would commit, never what lies on the disk: ignored files and stale build output do not exist.
 *
 * @param options.tracked leaves out files that git does not track yet (for CI).
 */
export function gitSource(root: string, options: { tracked?: boolean } = {}): Source {
  const { status, stdout, stderr } = git(root, [
    "ls-files",
    "-z",
    "-t",
    "-s",
    "-c",
    "-d",
    ...(options.tracked ? [] : ["-o", "--exclude-standard"]),
  ]);
  if (status !== 0) throw new SetUpError(`git cannot list the files of \`${root}\`: ${stderr.trim()}`);

  const files = new Map<string, { tracked: boolean }>();
  const submodules = new Set<string>();
  const removed: string[] = [];
  for (const record of stdout.split("\0")) {
    if (record === "") continue;
    const tag = record[0];
    if (tag === "?") {
      const path = record.slice(2);
      // A repository inside this one that nobody added: git does not look into it, neither do we.
      if (path.endsWith("/")) submodules.add(path.slice(0, -1));
      else files.set(path, { tracked: false });
      continue;
    }
    const path = record.slice(record.indexOf("\t") + 1);
    if (tag === "R") removed.push(path);
    else if (record.startsWith("160000", 2)) submodules.add(path);
    else files.set(path, { tracked: true });
  }
  for (const path of removed) files.delete(path);

  return {
    files,
    submodules,
    read: (path) => {
      const file = join(root, path);
      return attempt(() => readFileSync(file, { encoding: "utf8", flag: plain })) ?? readLink(file, root);
    },
    // By pattern, not by what exists: a fresh clone and a built one give the same answer.
    ignored: (paths) => {
      const asked = paths.flatMap((path) => [path, `${path}/`]).join("\0");
      const { stdout: answer } = git(root, ["check-ignore", "-z", "--stdin", "--no-index"], `${asked}\0`);
      return new Set(answer.split("\0").map((path) => path.replace(/\/$/, "")));
    },
  };
}

/** Follows no link and waits for no pipe: a file may have become one. */
const plain = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Of a symbolic link to a file of the repository its text; of any other what git stores: where it leads. */
function readLink(file: string, root: string): string | undefined {
  const target = attempt(() => realpathSync(file));
  const inside = target?.startsWith(`${realpathSync(root)}${sep}`) && !target.includes(`${sep}.git${sep}`);
  const text = inside
    ? attempt(() => readFileSync(target ?? "", { encoding: "utf8", flag: plain }))
    : undefined;
  return text ?? attempt(() => readlinkSync(file));
}

function attempt(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
