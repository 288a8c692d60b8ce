import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import type { Workload } from "copilot-manifest";

interface Manifest {
  name?: string;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

export function readPackage(directory: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

/** The folder of a workload's package: `image.build.args.WORKLOAD`, else the build context. Absolute. */
export function packageFolder(root: string, workload: Workload): string | undefined {
  const build = workload.image.build;
  if (!build) return undefined;
  return join(root, build.args.WORKLOAD ?? build.context);
}

/** Program and arguments of a `start` script; a shell only where the script needs one. */
export function commandOf(script: string): string[] {
  if (/[|&;<>()$`"'*?#~=%\\\n]/.test(script)) return ["/bin/sh", "-c", script];
  return script.trim().split(/\s+/);
}

/** PATH with the package's own programs, the workspace's, this very Node.js, then the machine's. */
export function searchPath(root: string, directory: string): string {
  return [
    dirname(process.execPath),
    join(directory, "node_modules", ".bin"),
    join(root, "node_modules", ".bin"),
    process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
  ].join(":");
}

/** The folders whose files the package runs from: its own, and those of the workspace packages that it imports. */
export function sourceFolders(root: string, directory: string, found = new Set<string>()): Set<string> {
  if (found.has(directory)) return found;
  found.add(directory);
  const manifest = readPackage(directory);
  for (const name of Object.keys({ ...manifest?.dependencies, ...manifest?.optionalDependencies })) {
    const link = join(directory, "node_modules", name);
    if (!existsSync(link)) continue;
    const real = realpathSync(link);
    const inside = relative(root, real);
    if (!inside.startsWith("..") && !inside.split(sep).includes("node_modules"))
      sourceFolders(root, real, found);
  }
  return found;
}
