import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { readAddons } from "./addons.ts";
import { injectedVariables } from "./check-workload.ts";
import { evaluate } from "./evaluate.ts";
import { findingOf, type Finding, type Scene } from "./finding.ts";
import { at, positionOf, textsOf, walk } from "./node.ts";
import { readPatches } from "./patches.ts";
import { nearest } from "./problem.ts";
import { settingsFile } from "./settings.ts";
import { SourceCode, type CodeKey, type CodeUse } from "./source-code.ts";
import type { AddonStack, EvaluatedStack, Position, Workload, Workspace } from "./types.ts";
import { placeholders } from "./check-addons.ts";

/** What a runtime or the platform reads or gives by itself. */
const ofThePlatform = /^(?:AWS_|ECS_|LAMBDA_|NODE_|OTEL_|LC_|_)|^(?:PATH|HOME|LANG|TZ|TMPDIR|HOSTNAME)$/;

interface Addons {
  stack: AddonStack;
  evaluated: EvaluatedStack;
}

/** The two sides of one container or function: what it is given, and what its code reads. */
interface Sides {
  owner: string;
  manifest: string;
  /** Written by hand, with their places: what nobody reads is said there. */
  written: Map<string, Position>;
  /** Everything that it finds in its environment. */
  given: Set<string>;
  use: Pick<CodeUse, "keys" | "direct" | "unread">;
  where: Pick<Finding, "workload" | "environment">;
}

/**
 * Compares the code's variables with the manifests', both ways, and the paths of health checks with those that the code
 * serves. Looks at nothing unless the settings have `code`, or say what a workload reads.
 */
export function checkCode(workspace: Workspace, scenes: Scene[]): Finding[] {
  const [first] = scenes;
  if (!first) return [];
  const { code } = first.settings;
  const source = code ? new SourceCode(workspace.root, code.call) : undefined;
  return scenes.flatMap((scene) => {
    const stacks = readAddons(workspace, scene.environment).map((stack) => ({
      stack,
      evaluated: evaluate(stack, placeholders),
    }));
    return [
      ...scene.resolved.workloads.flatMap((workload) => {
        const own = stacks.find(({ stack }) => stack.workload === workload.name);
        return ofWorkload(workload, scene, source, own);
      }),
      ...(source ? stacks.flatMap((addon) => ofFunctions(addon, scene, source)) : []),
    ];
  });
}

function ofWorkload(
  workload: Workload,
  scene: Scene,
  source: SourceCode | undefined,
  addons: Addons | undefined,
): Finding[] {
  const { settings, environment, workspace } = scene;
  const own = settings.workloads[workload.name];
  const patterns = own?.entry ? [own.entry] : (settings.code?.entries ?? []);
  const entry = source && firstEntry(workspace.root, patterns, placesOf(workload));
  const findings: Finding[] = [];
  // A service from a finished image, or of another kind, has no code here.
  if (source && !entry && workload.image.build && !own?.keys) {
    const message = `The code of ${workload.name} was not found: ${patterns.join(", ") || "no `code.entries`"}.`;
    const hint = `Name its entry module under \`workloads.${workload.name}.entry\` in ${settingsFile}, or its variables under \`required\` and \`optional\`.`;
    findings.push(
      findingOf("unread-code", workload, environment, { path: ["image", "build"], message, hint }),
    );
  }
  const use = entry === undefined ? undefined : source?.use(entry);
  if (use && use.calls === 0 && !own?.keys) {
    const message = `${entry} never calls \`${settings.code?.call}\`: what ${workload.name} reads cannot be seen.`;
    const hint = `Call it with the variables in the workload's own folder, or name them under \`workloads.${workload.name}\` in ${settingsFile}.`;
    const place = { file: use.entry, line: 1, column: 1 };
    findings.push({ rule: "unread-code", message, hint, workload: workload.name, environment, ...place });
  }
  const sides = sidesOf(workload, scene, own?.keys ? listed(own.keys, use) : use, addons?.evaluated);
  if (sides) findings.push(...compare(sides, settings.code?.read ?? []));
  if (workload.type === "Worker Service" && use)
    findings.push(...permissions(workload, scene, use, addons?.stack));
  return [...findings, ...health(workload, scene, use)];
}

/** What stands in the braces of `code.entries`. */
function placesOf({ name, image }: Workload): Record<string, string> {
  return { ...image.build?.args, name, ...(image.build ? { context: image.build.context } : {}) };
}

function firstEntry(root: string, patterns: string[], places: Record<string, string>): string | undefined {
  return patterns
    .map((pattern) =>
      posix.normalize(pattern.replaceAll(/\{(\w+)\}/g, (written, name: string) => places[name] ?? written)),
    )
    .find((path) => existsSync(join(root, path)));
}

function listed(keys: { required: string[]; optional: string[] }, use: CodeUse | undefined): Sides["use"] {
  const place = { file: settingsFile, line: 1, column: 1 };
  const all: CodeKey[] = [
    ...keys.required.map((name) => ({ name, optional: false, at: place })),
    ...keys.optional.map((name) => ({ name, optional: true, at: place })),
  ];
  return { keys: all, direct: use?.direct ?? new Set(), unread: [] };
}

function sidesOf(
  workload: Workload,
  { workspace, environment }: Scene,
  use: Sides["use"] | undefined,
  addons: EvaluatedStack | undefined,
): Sides | undefined {
  if (!use) return undefined;
  const sections = [
    ["variables", workload.variables],
    ["secrets", workload.secrets],
  ] as const;
  const written = new Map(
    sections.flatMap(([section, values]) =>
      Object.keys(values).map((name) => [name, workload.source([section, name])] as const),
    ),
  );
  const { envFile, image } = workload;
  const given = [
    ...written.keys(),
    ...injectedVariables(workload),
    ...Object.keys(addons?.injected.variables ?? {}),
    ...Object.keys(addons?.injected.secrets ?? {}),
    ...(envFile === undefined
      ? []
      : namesInFile(join(workspace.root, envFile), /^\s*(?:export\s+)?(\w+)=/gm)),
    ...(image.build ? namesInDockerfile(join(workspace.root, image.build.dockerfile)) : []),
  ];
  const where = { workload: workload.name, environment };
  return { owner: workload.name, manifest: workload.file, written, given: new Set(given), use, where };
}

/** `ENV A=b C=d` and `ENV A b`, in any stage. */
function namesInDockerfile(path: string): string[] {
  const lines = namesInFile(path, /^\s*ENV\s+((?:[^\\\n]|\\[^])*)/gim);
  return lines.flatMap((line) => {
    return [...line.matchAll(/(?:^|\s)(\w+)(?:=|\s+\S+$)/g)].map(([, name = ""]) => name);
  });
}

function namesInFile(path: string, form: RegExp): string[] {
  if (path.includes("${") || !existsSync(path)) return [];
  try {
    return [...readFileSync(path, "utf8").matchAll(form)].map(([, name = ""]) => name);
  } catch {
    return [];
  }
}

/** The Lambda functions of addons whose code lies in the repository. */
function ofFunctions({ stack, evaluated }: Addons, scene: Scene, source: SourceCode): Finding[] {
  const { workspace, settings, environment } = scene;
  return [...evaluated.resources.values()].flatMap(({ logicalId, type, properties }) => {
    const path = type === "AWS::Lambda::Function" ? properties["Code"] : properties["CodeUri"];
    if (!["AWS::Lambda::Function", "AWS::Serverless::Function"].includes(type) || typeof path !== "string")
      return [];
    const entry = firstEntry(workspace.root, settings.code?.functions ?? [], { code: path });
    const node = stack.resources.get(logicalId)?.properties;
    if (entry === undefined || !node) return [];
    const use = source.use(entry);
    const variables = at(node, "Environment", "Variables");
    const names = variables?.kind === "map" ? [...variables.entries.keys()] : [];
    const written = names.map(
      (name) => [name, positionOf(node, ["Environment", "Variables", name])] as const,
    );
    const where = { environment, ...(stack.workload === undefined ? {} : { workload: stack.workload }) };
    const manifest = node.at.file;
    const sides = {
      owner: logicalId,
      manifest,
      written: new Map(written),
      given: new Set(names),
      use,
      where,
    };
    return compare(sides, [
      ...(settings.code?.read ?? []),
      ...names.filter((name) => name.startsWith("COPILOT_")),
    ]);
  });
}

function compare({ owner, manifest, written, given, use, where }: Sides, read: string[]): Finding[] {
  const findings: Finding[] = [];
  const known = new Set([...use.keys.map(({ name }) => name), ...use.direct, ...read]);
  const unread = [...written].filter(([name]) => !known.has(name) && !ofThePlatform.test(name));
  for (const { name, optional, at: place } of use.keys) {
    if (optional || given.has(name) || ofThePlatform.test(name)) continue;
    const near = nearest(
      name,
      unread.map(([other]) => other),
    );
    const advice = near
      ? `Did you mean \`${near}\`, which ${manifest} gives and nobody reads?`
      : `Add it under \`variables\` or \`secrets\` in ${manifest}, or make it optional in the code.`;
    const message = `${owner} stops as it starts: its code requires ${name}, which nothing gives it.`;
    findings.push({ rule: "undeclared-variable", message, hint: advice, ...where, ...place });
  }
  // What the code reads is only known when all of it could be followed.
  for (const place of use.unread) {
    const message = `This part of the variables of ${owner} cannot be followed.`;
    const hint = "Write an object, or the name of a constant that holds one.";
    findings.push({ rule: "unread-code", message, hint, ...where, ...place });
  }
  if (use.unread.length > 0) return findings;
  for (const [name, place] of unread) {
    const message = `The code of ${owner} does not read ${name}.`;
    const hint = `Remove it; or, if something reads it that no scan can see, name it under \`code.read\` in ${settingsFile}.`;
    findings.push({ rule: "unread-variable", message, hint, ...where, ...place });
  }
  return findings;
}

/** The load balancer's path and that of the container's own check, against what the code can answer. */
function health(workload: Workload, { settings, environment }: Scene, use: CodeUse | undefined): Finding[] {
  const served = settings.workloads[workload.name]?.health;
  if (!served && !use) return [];
  const command = workload.image.healthcheck?.command.join(" ") ?? "";
  const [, inCommand] = /(?:127\.0\.0\.1|localhost|\[::1\])[^\s/]*?(\/[\w./-]*)/.exec(command) ?? [];
  const behind = workload.http && !workload.http.targetContainer ? workload.http.healthcheckPath : undefined;
  const paths = [
    { path: behind, written: ["http", "healthcheck"], asks: "The load balancer", routed: true },
    { path: inCommand, written: ["image", "healthcheck"], asks: "ECS", routed: false },
  ];
  const values = Object.values(workload.variables).flatMap((variable) => {
    return "value" in variable && variable.value.startsWith("/") ? [variable.value] : [];
  });
  return paths.flatMap(({ path, written, asks, routed }) => {
    if (path === undefined || path.includes("${")) return [];
    if (served ? served.includes(path) : use?.writes(path, values, routed)) return [];
    const message = `${asks} asks ${workload.name} for ${path}, which ${served ? "is none of the paths that it serves" : "its code does not serve"}: every task is replaced for ever.`;
    const hint = served
      ? `It serves ${served.join(", ")}, says ${settingsFile}.`
      : `Write a path that it serves; what no scan can see stands under \`workloads.${workload.name}.health\` in ${settingsFile}.`;
    return [findingOf("unserved-health-path", workload, environment, { path: written, message, hint })];
  });
}

/** What Copilot's queue policy does not give a worker, by the commands of the SDK that need it. */
const beyondReceiving: [command: string, action: string][] = [
  ["ChangeMessageVisibilityCommand", "sqs:ChangeMessageVisibility"],
  ["ChangeMessageVisibilityBatchCommand", "sqs:ChangeMessageVisibility"],
  ["GetQueueAttributesCommand", "sqs:GetQueueAttributes"],
];

/** A worker may receive and delete: what else its code does with its queue, an addon has to allow. */
function permissions(
  workload: Workload,
  { workspace, environment }: Scene,
  use: CodeUse,
  addons: AddonStack | undefined,
): Finding[] {
  const patched = readPatches(workspace.files, `copilot/${workload.name}`, []).some(({ path }) =>
    /^\/Resources\/(?:TaskRole|QueuePolicy)\b/.test(path),
  );
  if (patched) return [];
  const allowed = [...(addons?.resources.values() ?? [])].flatMap(({ properties }) =>
    [...walk(properties)].flatMap((node) => textsOf(at(node, "Action")) ?? []),
  );
  const needed = beyondReceiving.filter(([command]) => use.names(command)).map(([, action]) => action);
  return [...new Set(needed)]
    .filter((action) => !allowed.some((text) => covers(text, action)))
    .map((action) => {
      const message = `The code of ${workload.name} needs ${action}, which Copilot does not give it: the call is refused.`;
      const hint = `Allow it in a policy of copilot/${workload.name}/addons, on the worker's own queue.`;
      return findingOf("missing-permission", workload, environment, { path: [], message, hint });
    });
}

/** `sqs:*`, `sqs:Change*` and the action itself. */
function covers(text: string, action: string): boolean {
  if (!/^(?:\*|sqs:[A-Za-z*?]+)$/i.test(text)) return false;
  const form = text.replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${form}$`, "i").test(action);
}
