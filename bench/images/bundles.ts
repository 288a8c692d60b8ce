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
 * The fastest start of an entry up to that point, as a multiple of what Node takes for an empty program: the part that no
 * bundle can change. The two take turns, so that a busy moment hits both.
 */
export function startOf(folder: string, entry: string, rounds: number): number {
  let [best, floor] = [Infinity, Infinity];
  for (let round = 0; round < rounds; round++) {
    floor = Math.min(
      floor,
      timed(() => spawnSync(process.execPath, [...sourceMaps, "--eval", ""], { env: {} })),
    );
    best = Math.min(
      best,
      timed(() => {
        const options = { cwd: folder, env: {}, encoding: "utf8" } as const;
        const { status, stdout, stderr } = spawnSync(process.execPath, [...sourceMaps, entry], options);
        if (status !== 1 || askedFor(stdout + stderr).length === 0)
          throw new Error(
            `${folder}/${entry} asked for no variables, but ended with ${status}:\n${stdout}${stderr}`,
          );
      }),
    );
  }
  return best / floor;
}

const sourceMaps = ["--enable-source-maps"];

function timed(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** The size of an entry, without its source map. */
export function sizeOf(folder: string, entry: string): number {
  return statSync(join(folder, entry)).size;
}
