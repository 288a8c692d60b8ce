import { inside, nameOf, parentOf, type Tree } from "./tree.ts";

/** One package.json. */
export interface Package {
  dir: string;
  file: string;
  name: string;
  scripts: string[];
  dependencies: string[];
  /** Names of all dependencies: what pnpm may find a program of. */
  tools: string[];
  /** The programs that it gives to others. */
  bins: string[];
  /** The line of a key of the file, such as `"dependencies"`; the first when it is not there. */
  line(key: string): number;
}

/** Every package of the repository by its directory. Throws with the place of what is not JSON. */
export function readPackages(tree: Tree): Map<string, Package> {
  const packages = new Map<string, Package>();
  for (const file of tree.paths) {
    if (nameOf(file) !== "package.json") continue;
    const text = tree.read(file) ?? "";
    const dir = parentOf(file);
    packages.set(dir, { dir, file, ...parse(file, text), line: (key) => keyLine(text, key) });
  }
  return packages;
}

function parse(file: string, text: string): Omit<Package, "dir" | "file" | "line"> {
  let parsed: {
    name?: unknown;
    bin?: unknown;
    scripts?: object;
    dependencies?: object;
    devDependencies?: object;
  };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch (error) {
    throw new Error(
      `${file}:1: this is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
  const name = typeof parsed.name === "string" ? parsed.name : nameOf(parentOf(file));
  const { bin } = parsed;
  return {
    name,
    tools: Object.keys({ ...parsed.dependencies, ...parsed.devDependencies }),
    bins: typeof bin === "string" ? [nameOf(name)] : Object.keys(typeof bin === "object" ? (bin ?? {}) : {}),
    scripts: Object.keys(parsed.scripts ?? {}),
    dependencies: Object.keys(parsed.dependencies ?? {}),
  };
}

function keyLine(text: string, key: string): number {
  const written = `"${key}":`;
  return text.split("\n").findIndex((line) => line.trimStart().startsWith(written)) + 1 || 1;
}

/** The tasks of a turbo.json: `test`, and what stands behind `#`. */
export function readTasks(tree: Tree): { file: string; tasks: string[] } | undefined {
  const file = inside("", "turbo.json");
  const text = tree.read(file);
  if (text === undefined) return undefined;
  try {
    const { tasks = {} } = JSON.parse(text) as { tasks?: object };
    return { file, tasks: [...new Set(Object.keys(tasks).map((task) => task.replace(/^.*#/, "")))] };
  } catch {
    // It may hold comments; nothing is said of its tasks then.
    return undefined;
  }
}
