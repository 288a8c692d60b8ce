import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve as absolute } from "node:path";
import { at, textOf } from "./node.ts";
import { displayPath, suggest } from "./problem.ts";
import type { MapNode, Problem, Source, WorkloadSource, Workspace } from "./types.ts";
import { isWorkloadType, workloadTypes } from "./workload-schema.ts";
import { parseYaml } from "./yaml.ts";

/** Folders of `copilot/` and `copilot/environments/` that are never a workload or an environment. */
const reserved = new Set(["pipelines", "environments"]);
const reservedInEnvironments = new Set(["addons", "overrides"]);

/**
 * Reads everything under `<root>/copilot`. Mistakes of users are `problems`, never exceptions.
 * @param root the repository's root, the parent of `copilot/`
 */
export function readWorkspace(root: string): Workspace {
  const reader = new WorkspaceReader(absolute(root));
  return reader.read();
}

class WorkspaceReader {
  readonly #root: string;
  readonly #problems: Problem[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  read(): Workspace {
    const copilot = join(this.#root, "copilot");
    const environments = this.#manifests(join(copilot, "environments"), reservedInEnvironments);
    const pipelines = this.#manifests(join(copilot, "pipelines"), new Set());
    const legacy = join(copilot, "pipeline.yml");
    if (existsSync(legacy)) pipelines.set("pipeline", this.#source("pipeline", legacy));
    const workloads = new Map<string, WorkloadSource>();
    for (const [name, source] of this.#manifests(copilot, reserved)) {
      const workload = this.#workload(source);
      if (workload) workloads.set(name, workload);
    }
    return {
      root: this.#root,
      application: this.#application(copilot),
      environments: [...environments.keys()],
      environmentManifests: environments,
      workloads,
      pipelines,
      problems: this.#problems,
    };
  }

  #application(copilot: string): string {
    const file = join(copilot, ".workspace");
    const place = { file: displayPath(this.#root, file), line: 1, column: 1 };
    if (!existsSync(copilot)) {
      const hint = "Start it where `copilot/` lies, or give that folder with --root.";
      this.#problems.push({
        rule: "no-workspace",
        message: `There is no Copilot workspace at ${this.#root}.`,
        hint,
        ...place,
        file: "copilot",
      });
      return "";
    }
    const name = existsSync(file) ? textOf(at(this.#parse(file), "application")) : undefined;
    if (name === undefined) {
      const hint = "Write `application: <name>` into it; `copilot app init` does.";
      this.#problems.push({
        rule: "no-application",
        message: "The workspace does not say which application it belongs to.",
        hint,
        ...place,
      });
    }
    return name ?? "";
  }

  /** The folders directly below that hold a `manifest.yml`, read, in the order of their names. */
  #manifests(folder: string, except: Set<string>): Map<string, Source> {
    const found = new Map<string, Source>();
    if (!existsSync(folder)) return found;
    for (const name of readdirSync(folder).toSorted()) {
      const file = join(folder, name, "manifest.yml");
      if (except.has(name) || !isFile(file)) continue;
      found.set(name, this.#source(name, file));
    }
    return found;
  }

  #source(name: string, file: string): Source {
    return { name, file: displayPath(this.#root, file), root: this.#parse(file) };
  }

  #parse(path: string): MapNode | undefined {
    const file = displayPath(this.#root, path);
    const { root, problems } = parseYaml(file, readFileSync(path, "utf8"));
    this.#problems.push(...problems);
    if (root?.kind === "map") return root;
    if (problems.length === 0) {
      this.#problems.push({
        rule: "yaml",
        message: "The file must hold a map of keys and values.",
        file,
        line: 1,
        column: 1,
      });
    }
    return undefined;
  }

  #workload(source: Source): WorkloadSource | undefined {
    if (!source.root) return { ...source, type: "" };
    const node = at(source.root, "type");
    const type = textOf(node) ?? "";
    if (!isWorkloadType(type)) {
      const message = node ? `\`${type}\` is no type of workload.` : "The manifest does not say its `type`.";
      this.#problems.push({
        rule: "unknown-type",
        message,
        hint: suggest(type, workloadTypes, "types"),
        ...(node ?? source.root).at,
      });
    }
    return { ...source, type };
  }
}

function isFile(path: string): boolean {
  // A file in the place of the folder is no error, and `statSync` of older Nodes throws there.
  return existsSync(path) && statSync(path).isFile();
}
