import type { FactProvider, Facts, Project } from "remark-lint-claude-md";
import { blocks } from "./blocks.ts";
import { isDockerfile } from "./claim-engines.ts";
import { claimsOf } from "./claims.ts";
import { commandProblem } from "./commands.ts";
import { isEventFile } from "./events.ts";
import { type Model, readModel } from "./model.ts";
import { relatedTo } from "./related.ts";
import { isWithin, nameOf, treeOf } from "./tree.ts";
import { valuesOf } from "./values.ts";
import type { Values } from "./values-workload.ts";

/** What a Copilot workspace says of itself; `root` is the folder of its manifests. */
export interface CopilotFactsOptions {
  /** Relative to the repository, ending in `copilot`. Default: `copilot`. */
  root?: string;
  /** The folder whose TypeScript files define the events, by calls of `event("type", { topic, version })`. */
  events?: string;
}

/**
 * Facts for `claude-md.config.ts`: values, tables, claims, pairs and commands of an AWS Copilot workspace and of the pnpm
 * workspace around it, each with the file and line where it stands.
 *
 * @throws Error when `root` is no folder that the Copilot CLI would find.
 */
export function copilotFacts({ root = "copilot", events }: CopilotFactsOptions = {}): FactProvider {
  if (nameOf(root) !== "copilot")
    throw new Error(`copilotFacts: \`root\` is \`${root}\`; the CLI finds only a folder named \`copilot\`.`);
  // The host asks for the inputs at the beginning of each run, then loads.
  let inputs: string[] = [];
  let all: readonly string[] = [];
  return {
    name: "copilot",
    version: "1",
    inputs: (project) => {
      all = project.files;
      return (inputs = inputsOf(project, root, events));
    },
    load: (read) => factsOf(readModel(root, treeOf(inputs, all, read), events)),
  };
}

/** The manifests and what lies beside them, packages, tasks of turbo, Dockerfiles, the code that defines events. */
function inputsOf({ files }: Project, root: string, events: string | undefined): string[] {
  return files.filter(
    (file) =>
      nameOf(file) === "package.json" ||
      file === "turbo.json" ||
      isDockerfile(file) ||
      (events !== undefined && isEventFile(file, events)) ||
      (isWithin(file, root) && !file.endsWith(".md")),
  );
}

function factsOf(model: Model): Facts {
  const known = new Map<string, Values>();
  const values = (dir: string): Values => {
    const own = known.get(dir) ?? valuesOf(model, dir);
    known.set(dir, own);
    return own;
  };
  return {
    value: (key, dir) => values(dir)[key],
    block: (name, args, dir) =>
      args.length === 0 && Object.hasOwn(blocks, name) ? blocks[name]?.(model, dir) : undefined,
    keys: (dir) => ({
      values: Object.entries(values(dir)).flatMap(([key, value]) => (value ? [key] : [])),
      blocks: Object.entries(blocks).flatMap(([name, block]) =>
        block(model, dir) ? [{ name, args: [] }] : [],
      ),
    }),
    related: (dir) => relatedTo(model, dir),
    claims: claimsOf(model),
    command: (argv, dir) => commandProblem(model, argv, dir),
  };
}
