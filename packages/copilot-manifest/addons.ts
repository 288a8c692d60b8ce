import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { at, entriesOf, mapNode, textOf, toValue } from "./node.ts";
import type {
  AddonOutput,
  AddonParameter,
  AddonResource,
  AddonStack,
  Entry,
  MapNode,
  Node,
  Position,
  Problem,
  Workspace,
} from "./types.ts";
import { parseYaml, type Parsed } from "./yaml.ts";

/** One template is linked into many folders and read for each environment: parsed once for a workspace that was read once. */
const parsedFiles = new WeakMap<Workspace, Map<string, Parsed & { text: string }>>();

function parsedOnce(workspace: Workspace, path: string): Parsed & { text: string } {
  const files = parsedFiles.get(workspace) ?? new Map<string, Parsed & { text: string }>();
  parsedFiles.set(workspace, files);
  const known = files.get(path);
  if (known) return known;
  const text = workspace.files.read(path) ?? "";
  const parsed = { text, ...parseYaml(path, text, { cloudFormation: true }) };
  files.set(path, parsed);
  return parsed;
}

const parameterFiles = ["addons.parameters.yml", "addons.parameters.yaml"];
const sections = ["Parameters", "Mappings", "Conditions", "Resources", "Outputs"] as const;
type Section = (typeof sections)[number];

/**
 * The addon stacks of one environment, links followed: the environment's own first (`workload` undefined), then one for
 * each workload that has addons. Files of a folder are merged into one template as Copilot does; what it refuses is in
 * `problems` of the stack.
 */
export function readAddons(workspace: Workspace, environment: string): AddonStack[] {
  const folders = [
    { workload: undefined, folder: "copilot/environments/addons" },
    ...[...workspace.workloads.keys()].map((workload) => ({
      workload,
      folder: `copilot/${workload}/addons`,
    })),
  ];
  return folders.flatMap(({ workload, folder }) => {
    const stack = new FolderReader(workspace, environment, workload, folder).read();
    return stack ? [stack] : [];
  });
}

class FolderReader {
  readonly #workspace: Workspace;
  readonly #environment: string;
  readonly #workload: string | undefined;
  readonly #folder: string;
  readonly #problems: Problem[] = [];
  readonly #merged: Record<Section, MapNode | undefined> = {
    Parameters: undefined,
    Mappings: undefined,
    Conditions: undefined,
    Resources: undefined,
    Outputs: undefined,
  };

  constructor(workspace: Workspace, environment: string, workload: string | undefined, folder: string) {
    this.#workspace = workspace;
    this.#environment = environment;
    this.#workload = workload;
    this.#folder = folder;
  }

  read(): AddonStack | undefined {
    const names = this.#files();
    const templates = names.filter((name) => /\.ya?ml$/.test(name) && !parameterFiles.includes(name));
    if (templates.length === 0 && this.#problems.length === 0) return undefined;
    for (const name of templates) this.#merge(name);
    const { Mappings: mappings, Conditions: conditions } = this.#merged;
    return {
      workload: this.#workload,
      application: this.#workspace.application,
      environment: this.#environment,
      files: templates.map((name) => `${this.#folder}/${name}`),
      parameters: this.#parameters(names.filter((name) => parameterFiles.includes(name))),
      mappings,
      conditions,
      resources: new Map(
        entriesOf(this.#merged.Resources).map(([id, entry]) => [id, this.#resource(id, entry)]),
      ),
      outputs: new Map(entriesOf(this.#merged.Outputs).map(([name, entry]) => [name, output(entry)])),
      problems: this.#problems,
    };
  }

  /** The files at the top of the folder; subfolders are nothing to Copilot. */
  #files(): string[] {
    const { files } = this.#workspace;
    const names = files.list(this.#folder);
    if (!names) {
      if (this.#leadsNowhere(this.#folder)) this.#deadLink(this.#folder);
      return [];
    }
    return names.filter((name) => {
      const path = `${this.#folder}/${name}`;
      if (files.read(path) !== undefined) return true;
      if (this.#leadsNowhere(path)) this.#deadLink(path);
      return false;
    });
  }

  #leadsNowhere(path: string): boolean {
    const onDisk = join(this.#workspace.root, path);
    return lstatSync(onDisk, { throwIfNoEntry: false }) !== undefined && !existsSync(onDisk);
  }

  #deadLink(file: string): void {
    const hint = "Point it at an existing file or folder, or remove it.";
    this.#problems.push({
      rule: "link",
      message: "This link leads nowhere.",
      hint,
      file,
      line: 1,
      column: 1,
    });
  }

  #parse(name: string): Node | undefined {
    const file = `${this.#folder}/${name}`;
    const { text, root, problems } = parsedOnce(this.#workspace, file);
    this.#problems.push(...problems);
    if (root?.kind !== "map" && problems.length === 0) {
      const lost = /^[./\w-]+\.ya?ml\s*$/.test(text);
      const hint = lost
        ? "It holds a path: a symbolic link that this checkout did not keep (git config core.symlinks true)."
        : undefined;
      this.#problems.push({
        rule: "yaml",
        message: "This is no CloudFormation template.",
        ...(hint ? { hint } : {}),
        file,
        line: 1,
        column: 1,
      });
    }
    return root;
  }

  #merge(name: string): void {
    const template = this.#parse(name);
    if (template?.kind !== "map") return;
    for (const section of sections) {
      const added = at(template, section);
      if (added?.kind !== "map") continue;
      const known = (this.#merged[section] ??= mapNode(added.at));
      this.#mergeSection(section, known, added);
    }
  }

  #mergeSection(section: Section, into: MapNode, added: MapNode): void {
    for (const [id, entry] of added.entries) {
      const before = into.entries.get(id);
      if (!before) into.entries.set(id, entry);
      else if (section === "Mappings" && before.value.kind === "map" && entry.value.kind === "map") {
        // Mappings are merged one level deeper: two files may add columns to one table.
        const columns: MapNode = { ...before.value, entries: new Map(before.value.entries) };
        into.entries.set(id, { ...before, value: columns });
        this.#mergeSection("Conditions", columns, entry.value);
      } else if (!same(before.value, entry.value)) {
        const message = `\`${id}\` is also in ${before.key.file}:${before.key.line}, with another content: Copilot cannot merge the two files.`;
        this.#problems.push({
          rule: "addon-conflict",
          message,
          hint: "Write both alike, or rename one.",
          ...entry.key,
        });
      }
    }
  }

  #resource(id: string, { key, value }: Entry): AddonResource {
    const type = textOf(at(value, "Type"));
    if (type === undefined)
      this.#problems.push({ rule: "addon", message: `The resource \`${id}\` has no \`Type\`.`, ...key });
    const condition = textOf(at(value, "Condition"));
    return {
      type: type ?? "",
      ...(condition ? { condition } : {}),
      properties: at(value, "Properties"),
      node: value,
      at: key,
    };
  }

  #parameters(files: string[]): Map<string, AddonParameter> {
    const reserved = this.#workload === undefined ? ["App", "Env"] : ["App", "Env", "Name"];
    const given = new Map(files.flatMap((name) => this.#given(name)));
    const declared = new Map(entriesOf(this.#merged.Parameters));
    const start = (this.#merged.Parameters ?? this.#merged.Resources)?.at ?? {
      file: this.#folder,
      line: 1,
      column: 1,
    };
    if (files.length > 1)
      this.#parameterProblem(start, "Only one addons.parameters.yml may lie in a folder.");
    // What could not be read was said already.
    const readable = Object.values(this.#merged).some((section) => section !== undefined);
    for (const name of reserved) {
      if (readable && !declared.has(name))
        this.#parameterProblem(start, `A template of this folder must declare the parameter \`${name}\`.`);
      const own = given.get(name);
      if (own) this.#parameterProblem(own.key, `Copilot gives \`${name}\` itself.`);
    }
    for (const [name, { key }] of given) {
      if (!declared.has(name))
        this.#parameterProblem(key, `No template of this folder declares the parameter \`${name}\`.`);
    }
    const parameters = [...declared].map(([name, { key, value }]): [string, AddonParameter] => {
      const initial = at(value, "Default");
      const from = given.get(name)?.value;
      if (!initial && !from && !reserved.includes(name)) {
        this.#parameterProblem(
          key,
          `The parameter \`${name}\` has neither a Default nor a value in addons.parameters.yml.`,
        );
      }
      return [name, { at: key, ...(initial ? { default: initial } : {}), ...(from ? { value: from } : {}) }];
    });
    return new Map(parameters);
  }

  #given(name: string): [string, Entry][] {
    const root = this.#parse(name);
    const parameters = at(root, "Parameters");
    if (root && parameters?.kind !== "map")
      this.#parameterProblem(root.at, "The file must have the key `Parameters`, with a map.");
    return entriesOf(parameters);
  }

  #parameterProblem(place: Position, message: string): void {
    this.#problems.push({ rule: "addon-parameter", message, ...place });
  }
}

function output({ key, value }: Entry): AddonOutput {
  const exportName = at(value, "Export", "Name");
  const condition = textOf(at(value, "Condition"));
  return {
    value: at(value, "Value"),
    at: key,
    ...(exportName ? { exportName } : {}),
    ...(condition ? { condition } : {}),
  };
}

/** Equal in content; quotes, comments and places do not matter. */
function same(a: Node, b: Node): boolean {
  return JSON.stringify(toValue(a)) === JSON.stringify(toValue(b));
}
