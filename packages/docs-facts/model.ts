import {
  type AddonStack,
  at,
  entriesOf,
  type Node,
  type Position,
  readAddons,
  readWorkspace,
  resolve,
  textOf,
  type Workload,
  type Workspace,
} from "copilot-manifest";
import type { Sourced } from "remark-lint-claude-md";
import { type Alarm, alarmsIn, alarmsOf } from "./alarms.ts";
import { codeOf } from "./code.ts";
import { type EventDefinition, readEvents } from "./events.ts";
import { type Package, readPackages } from "./packages.ts";
import { inOrder, type Pipeline, readPipelines } from "./pipelines.ts";
import { regionOf } from "./region.ts";
import { type SourcedAt, sourcedBelow } from "./sourced.ts";
import { below, inside, parentOf, type Tree } from "./tree.ts";

/** One workload as every environment sees it. Folders are relative to the repository. */
export interface WorkloadModel {
  name: string;
  type: Workload["type"];
  /** The folder of its manifest. */
  dir: string;
  /** The folder of its code, where the manifest gives it away. */
  code: string | undefined;
  /** As the first environment sees it: for what does not differ. */
  any: Workload;
  in: Map<string, Workload>;
  addons: AddonStack | undefined;
  alarms: Alarm[];
  functions: FunctionModel[];
}

/** A Lambda function of an addon whose code lies in the repository. */
export interface FunctionModel {
  id: string;
  code: string;
  owner: string;
  runtime: string | undefined;
  /** MB and seconds as they are written; undefined where an environment has others than another. */
  memory: string | undefined;
  timeout: string | undefined;
  at: Position;
  runtimeAt: Position;
}

/** What the facts are made of. */
export interface Model {
  /** The folder of the manifests, `copilot`. */
  root: string;
  /** Where the workspace lies in the repository; the empty string for its root. */
  base: string;
  tree: Tree;
  workspace: Workspace;
  application: string;
  /** In the order in which manifests speak of them. */
  environments: string[];
  workloads: WorkloadModel[];
  /** In the order of the environments that they deploy to. */
  pipelines: Pipeline[];
  environmentAddons: AddonStack | undefined;
  environmentAlarms: Alarm[];
  region: Sourced<string> | undefined;
  packages: Map<string, Package>;
  /** The folder of the code that defines the events; undefined where the configuration names none. */
  eventFolder: string | undefined;
  events: EventDefinition[];
  sourced: SourcedAt;
}

/** Stands for the environment of a workspace that names none; in no text. */
export const unnamed = "environment";

/** Reads the workspace whose manifests lie in `root`. Throws with file and line where it cannot be read. */
export function readModel(root: string, tree: Tree, eventFolder?: string): Model {
  const base = parentOf(root);
  const workspace = readWorkspace(base, below(base, tree));
  const [problem] = workspace.problems;
  if (problem) throw new Error(`${inside(base, problem.file)}:${problem.line}: ${problem.message}`);
  const sourced = sourcedBelow(base, tree);
  const pipelines = readPipelines(workspace);
  const environments = ordered(workspace, knownEnvironments(workspace, pipelines));
  // What only the shell of whoever deploys can say stays as it is written.
  const seen = environments.length > 0 ? environments : [unnamed];
  const resolved = new Map(seen.map((name) => [name, resolve(workspace, name, {}).workloads]));
  const [first = unnamed] = seen;
  const addons = readAddons(workspace, first);
  const environmentAddons = addons.find(({ workload }) => workload === undefined);
  const workloads = (resolved.get(first) ?? []).map((any): WorkloadModel => {
    const own = addons.find(({ workload }) => workload === any.name);
    const code = codeOf(any, (path) => tree.isFolder(inside(base, path)));
    return {
      name: any.name,
      type: any.type,
      dir: inside(root, any.name),
      code: code === undefined ? undefined : inside(base, code),
      any,
      in: new Map(
        seen.flatMap((environment) => {
          const found = resolved.get(environment)?.find(({ name }) => name === any.name);
          return found ? [[environment, found]] : [];
        }),
      ),
      addons: own,
      alarms: alarmsOf(workspace, any, own),
      functions: functionsOf(own, any.name, base, tree),
    };
  });
  return {
    root,
    base,
    tree,
    workspace,
    application: workspace.application,
    environments,
    workloads,
    pipelines: inOrder(pipelines, environments),
    environmentAddons,
    environmentAlarms: alarmsIn(environmentAddons),
    region: regionOf(workspace, root, tree, sourced),
    packages: readPackages(tree),
    eventFolder,
    events: eventFolder === undefined ? [] : readEvents(eventFolder, tree),
    sourced,
  };
}

/** The environments' folders; without any, those that manifests and pipelines speak of: older workspaces have none. */
function knownEnvironments(workspace: Workspace, pipelines: readonly Pipeline[]): string[] {
  if (workspace.environments.length > 0) return workspace.environments;
  const stages = pipelines.flatMap((pipeline) => pipeline.stages.map(({ environment }) => environment));
  return [...new Set([...stages, ...spokenOf(workspace)])].filter((name) => name !== "");
}

/** What the workloads' manifests override, in the order in which they list it. */
function spokenOf(workspace: Workspace): string[] {
  return [...workspace.workloads.values()].flatMap(({ root }) =>
    entriesOf(at(root, "environments")).map(([name]) => name),
  );
}

/** Manifests list environments in the order in which people think of them; folders do not. */
function ordered(workspace: Workspace, environments: readonly string[]): string[] {
  if (workspace.environments.length === 0) return [...environments];
  return [...new Set([...spokenOf(workspace), ...environments])].filter((name) =>
    environments.includes(name),
  );
}

function functionsOf(
  addons: AddonStack | undefined,
  owner: string,
  base: string,
  tree: Tree,
): FunctionModel[] {
  return [...(addons?.resources ?? [])].flatMap(([id, { type, properties, at: place }]) => {
    const path = textOf(at(properties, "Code"));
    if (type !== "AWS::Lambda::Function" || path === undefined) return [];
    // What is built is not in git; the folder above it is.
    let code = inside(base, path);
    while (code !== "" && !tree.isFolder(code)) code = parentOf(code);
    if (code === "") return [];
    const runtime = at(properties, "Runtime");
    return [
      {
        id,
        code,
        owner,
        runtime: textOf(runtime),
        memory: writtenOr(at(properties, "MemorySize"), "128"),
        timeout: writtenOr(at(properties, "Timeout"), "3"),
        at: place,
        runtimeAt: runtime?.at ?? place,
      },
    ];
  });
}

/** A property that is not there has its default; one that is computed is not ours to know. */
function writtenOr(node: Node | undefined, fallback: string): string | undefined {
  return node === undefined ? fallback : textOf(node);
}
