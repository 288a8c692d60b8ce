import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readWorkspace, resolve } from "copilot-manifest";

/** A workload of the manifests whose image the root's Dockerfile makes. */
export interface Image {
  name: string;
  /** The folder of its code: `image.build.args.WORKLOAD`. */
  workload: string;
}

/** Every image of the workspace, in the order of the workloads. */
export function imagesOf(root: string): Image[] {
  const workspace = readWorkspace(root);
  const [environment = "staging"] = workspace.environments;
  return resolve(workspace, environment).workloads.flatMap(({ name, image }) => {
    const workload = image.build?.args["WORKLOAD"];
    return workload === undefined ? [] : [{ name, workload }];
  });
}

/** Makes the bundle as the Dockerfile does. */
export function bundled(root: string, workload: string, folder: string): { folder: string; bytes: number } {
  const { status, stderr } = spawnSync(process.execPath, ["bundle.mjs", workload, folder], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`bundle.mjs ${workload} ended with ${status}:\n${stderr}`);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) =>
    statSync(join(folder, file)),
  );
  return { folder, bytes: files.filter((file) => file.isFile()).reduce((sum, { size }) => sum + size, 0) };
}

/** `main.mjs`, and what else of the bundle a container may be started with. */
export function entriesOf(folder: string): string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".mjs"));
  return files.toSorted((a, b) => Number(b === "main.mjs") - Number(a === "main.mjs") || a.localeCompare(b));
}

/** The variables that an entry asks for when it is started without any: it has then loaded all of its code. */
export function askedFor(output: string): string[] {
  return [...output.matchAll(/(?:^ {2}|→ at )([A-Z][A-Z\d_]+)\b/gm)].map(([, name = ""]) => name);
}

/**
 * What an entry computes up to that point, as a multiple of what Node computes for an empty program. Processor time and not
 * the clock, so that a busy machine tells the same; the smallest of several rounds.
 */
export function startOf(folder: string, entry: string, rounds: number): number {
  let [best, floor] = [Infinity, Infinity];
  for (let round = 0; round < rounds; round++) {
    floor = Math.min(floor, processorTime(folder, ["--eval", ""]).microseconds);
    const { microseconds, status, text } = processorTime(folder, [entry]);
    if (status !== 1 || askedFor(text).length === 0)
      throw new Error(`${folder}/${entry} asked for no variables, but ended with ${status}:\n${text}`);
    best = Math.min(best, microseconds);
  }
  return best / floor;
}

/** Writes to the fourth of the process's streams what it has used, as it exits. */
const witness = `data:text/javascript,${encodeURIComponent(
  'import { writeSync } from "node:fs"; process.on("exit", () => { const { user, system } = process.cpuUsage(); writeSync(3, String(user + system)); });',
)}`;

function processorTime(cwd: string, args: string[]) {
  const { status, output } = spawnSync(
    process.execPath,
    ["--enable-source-maps", "--import", witness, ...args],
    {
      cwd,
      env: {},
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      encoding: "utf8",
    },
  );
  const [, stdout = "", stderr = "", used = ""] = output;
  return { microseconds: Number(used), status, text: `${stdout}${stderr}` };
}

/** The size of an entry, without its source map. */
export function sizeOf(folder: string, entry: string): number {
  return statSync(join(folder, entry)).size;
}
