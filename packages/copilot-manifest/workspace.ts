import { resolve as absolute } from "node:path";
import { type Files, filesOnDisk } from "./files.ts";
import { at, textOf } from "./node.ts";
import { suggest } from "./problem.ts";
import type { MapNode, Problem, Source, WorkloadSource, Workspace } from "./types.ts";
import { isWorkloadType, workloadTypes } from "./workload-schema.ts";
import { parseYaml } from "./yaml.ts";

/** Folders of `copilot/` and `copilot/environments/` that are never a workload or an environment. */
const reserved = new Set(["pipelines", "environments"]);
const reservedInEnvironments = new Set(["addons", "overrides"]);

/**
 * Reads everything under `<root>/copilot`. Mistakes of users are `problems`, never exceptions.
 * @param root the repository's root, the parent of `copilot/`
 * @param files where it is read from, instead of the disk; what only a checkout can answer (code, dead links, whether
 *   the paths that manifests name exist) `check` still asks the disk.
 */
export function readWorkspace(root: string, files?: Files): Workspace {
  const path = absolute(root);
  return new WorkspaceReader(path, files ?? filesOnDisk(path)).read();
}

class WorkspaceReader {
  readonly #root: string;
  readonly #files: Files;
  readonly #problems: Problem[] = [];

  constructor(root: string, files: Files) {
    this.#root = root;
    this.#files = files;
  }

  read(): Workspace {
    const environments = this.#manifests("copilot/environments", reservedInEnvironments);
    const pipelines = this.#manifests("copilot/pipelines", new Set());
    const legacy = this.#source("pipeline", "copilot/pipeline.yml");
    if (legacy) pipelines.set("pipeline", legacy);
    const workloads = new Map<string, WorkloadSource>();
    for (const [name, source] of this.#manifests("copilot", reserved)) {
      const workload = this.#workload(source);
      if (workload) workloads.set(name, workload);
    }
    return {
      root: this.#root,
      files: this.#files,
      application: this.#application(),
      environments: [...environments.keys()],
      environmentManifests: environments,
      workloads,
      pipelines,
      problems: this.#problems,
    };
  }

  #application(): string {
    const file = "copilot/.workspace";
    const place = { file, line: 1, column: 1 };
    if (!this.#files.list("copilot")) {
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
    const text = this.#files.read(file);
    if (text === undefined) {
      const message = "There is no copilot/.workspace: nothing here names the application.";
      const hint =
        "Commit the one that `copilot app init` wrote, or give the name with --app, as to Copilot.";
      this.#problems.push({ rule: "no-workspace-file", message, hint, ...place, file: "copilot" });
      return "";
    }
    const name = textOf(at(this.#parse(file, text), "application"));
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
    for (const name of this.#files.list(folder) ?? []) {
      const source = except.has(name) ? undefined : this.#source(name, `${folder}/${name}/manifest.yml`);
      if (source) found.set(name, source);
    }
    return found;
  }

  #source(name: string, file: string): Source | undefined {
    const text = this.#files.read(file);
    return text === undefined ? undefined : { name, file, root: this.#parse(file, text) };
  }

  #parse(file: string, text: string): MapNode | undefined {
    const { root, problems } = parseYaml(file, text);
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
