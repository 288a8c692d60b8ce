import type { AddonStack, Node, Position, Workload } from "copilot-manifest";
import { parse } from "yaml";
import { readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { LinkError } from "./link-error.ts";
import type { RenderedStack } from "./render.ts";
import { parseTemplate, type Path, type Template, type Values } from "./template.ts";

/** What a rendered stack was made from. */
export interface Sources {
  root: string;
  rendered: RenderedStack;
  /** The stack's template as it is kept, with its file. */
  template: Template;
  workload: Workload | undefined;
  addons: AddonStack | undefined;
}

/**
 * The line of the source that a person would mend: of an addon template, of the parameters given to it, of an override, of
 * the manifest; else of the rendered template.
 */
export function originOf(
  error: LinkError,
  { root, rendered, template, workload, addons }: Sources,
): Position {
  const { path } = error;
  if (error.inStack !== undefined && addons)
    return inAddons(addons, path) ?? template.at(["Resources", "AddonsStack"]);
  const [section, id, , parameters, name] = path;
  if (section === "Resources" && id === "AddonsStack" && parameters === "Parameters" && addons) {
    const given = addons.parameters.get(String(name))?.value;
    if (given) return given.at;
  }
  const folder = rendered.kind === "workload" ? rendered.name : "environments";
  return (
    inPatches(root, `copilot/${folder}`, path) ??
    (workload && inManifest(workload, template, path)) ??
    template.at(path)
  );
}

function inAddons(addons: AddonStack, path: Path): Position | undefined {
  const [section, id, ...rest] = path;
  if (section === "Resources") {
    const resource = addons.resources.get(String(id));
    return resource && (nodeAt(resource.node, rest) ?? resource.at);
  }
  if (section === "Outputs") {
    const output = addons.outputs.get(String(id));
    const node = rest[0] === "Export" ? output?.exportName : output?.value;
    return node?.at ?? output?.at;
  }
  if (section === "Parameters") return addons.parameters.get(String(id))?.at;
  if (section === "Conditions")
    return addons.conditions && (nodeAt(addons.conditions, [String(id), ...rest]) ?? addons.conditions.at);
  return undefined;
}

/** The deepest node on the path that was written. */
function nodeAt(node: Node, path: Path): Position | undefined {
  let current: Node = node;
  let place: Position | undefined;
  for (const step of path) {
    const next: Node | undefined =
      current.kind === "map"
        ? current.entries.get(String(step))?.value
        : current.kind === "list"
          ? current.items[Number(step)]
          : undefined;
    if (!next) return place;
    place = next.at;
    current = next;
  }
  return place;
}

/** An override that wrote at or above this path. */
function inPatches(root: string, folder: string, path: Path): Position | undefined {
  const file = `${folder}/overrides/cfn.patches.yml`;
  if (!existsSync(join(root, file))) return undefined;
  const text = readFileSync(join(root, file), "utf8");
  const patches = parse(text, { logLevel: "silent" }) as { path?: unknown }[] | null;
  const pointer = `/${path.join("/")}`;
  const index =
    patches?.findIndex(
      ({ path: at }) => typeof at === "string" && (pointer === at || pointer.startsWith(`${at}/`)),
    ) ?? -1;
  return index < 0 ? undefined : patchIn(file, text, index);
}

/** Where a patch of an override says what it changes; `undefined` when there is no such override. */
export function patchAt(root: string, folder: string, index: number): Position | undefined {
  const file = `${folder}/overrides/cfn.patches.yml`;
  if (!existsSync(join(root, file))) return undefined;
  return patchIn(file, readFileSync(join(root, file), "utf8"), index);
}

function patchIn(file: string, text: string, index: number): Position {
  // A list at the top, as the value of a key in a line before it.
  const { line, column } = parseTemplate(file, `Patches:\n${text}`).at(["Patches", index, "path"]);
  return { file, line: line - 1, column };
}

/** Where the manifest says the text that failed: an import's name is in `from_cfn`, a secret's in `secrets`. */
function inManifest(workload: Workload, template: Template, path: Path): Position | undefined {
  const texts = new Set(textsAt(template, path));
  const found = pathOfText(workload.manifest, texts, []);
  return found && workload.source(found);
}

function* textsAt(template: Template, path: Path): Generator<string> {
  let value: unknown = {
    Resources: template.Resources,
    Outputs: template.Outputs,
    Conditions: template.Conditions,
  };
  for (const step of path)
    value = value === null || typeof value !== "object" ? undefined : (value as Values)[step];
  const all: unknown[] = [value];
  for (let next = all.pop(); next !== undefined; next = all.pop()) {
    if (typeof next === "string") yield next;
    else if (next !== null && typeof next === "object") all.push(...Object.values(next));
  }
}

function pathOfText(value: unknown, texts: Set<string>, path: Path): Path | undefined {
  if (typeof value === "string") return texts.has(value) ? path : undefined;
  if (value === null || typeof value !== "object") return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = pathOfText(item, texts, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found) return found;
  }
  return undefined;
}
