import { alternatives, type CommandProblem, isPlaceholder, unexpected } from "./command-problem.ts";
import { aliases, commands, type Flag, subcommands, version } from "./copilot-commands.ts";
import type { Model } from "./model.ts";
import { inside, isWithin } from "./tree.ts";
import { kind } from "./values-workload.ts";

/** Holds `copilot …` against the CLI's own tree, and the names it is given against the workspace. */
export function copilotProblem(
  model: Model,
  words: readonly string[],
  dir: string,
): CommandProblem | undefined {
  let path = "";
  let index = 0;
  // `copilot help svc deploy` names a command, too.
  if (words[0] === "help") index++;
  for (; index < words.length; index++) {
    const word = words[index] ?? "";
    const known = subcommands(path);
    if (known.length === 0 || word.startsWith("-")) break;
    if (isPlaceholder(word) || alternatives(word).length > 1) return undefined;
    const next = path === "" ? word : `${path} ${word}`;
    if (!known.includes(word) && !aliases.has(next))
      return {
        ...unexpected("command", "command", word, known, index),
        note: `\`copilot ${path === "" ? "" : `${path} `}--help\` of ${version} lists them`,
      };
    path = aliases.get(next) ?? next;
  }
  // A document beside a workspace that lies in a folder may speak of another one.
  const ours = isWithin(dir, model.base) ? model : undefined;
  return flagProblem(ours, path, words, index);
}

function flagProblem(
  model: Model | undefined,
  path: string,
  words: readonly string[],
  from: number,
): CommandProblem | undefined {
  const flags = commands.get(path) ?? [];
  for (let index = from; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") return undefined;
    if (!word.startsWith("-") || isPlaceholder(word.split("=")[0] ?? "")) continue;
    const [name = "", given] = word.split(/=(.*)/s);
    if (name === "--help" || name === "-h") continue;
    const flag = flags.find(({ long, short }) => long === name || short === name);
    if (!flag)
      return {
        ...unexpected(
          "flag",
          "flag",
          name,
          flags.map(({ long }) => long),
          index,
        ),
        note: `\`copilot ${path} --help\` of ${version} lists them`,
      };
    if (!flag.takesValue) continue;
    const at = given === undefined ? ++index : index;
    const value = given ?? words[at];
    const problem =
      model === undefined || value === undefined ? undefined : valueProblem(model, path, flag, value, at);
    if (problem) return problem;
  }
  return undefined;
}

function valueProblem(
  model: Model,
  path: string,
  flag: Flag,
  value: string,
  index: number,
): CommandProblem | undefined {
  const known = namesFor(model, path, flag.long);
  // A workspace without a folder of environments says nothing about which there are.
  if (!known || known.names.length === 0) return undefined;
  for (const each of value.split(",").flatMap(alternatives)) {
    // `copilot deploy --name api/1`: the order in which it is deployed.
    const name = path === "deploy" ? each.replace(/\/\d+$/, "") : each;
    if (name === "" || isPlaceholder(name) || known.names.includes(name)) continue;
    return unexpected("flag-value", known.what, name, known.names, index, known.where);
  }
  return undefined;
}

/** The names that a flag may be given; undefined where it may be any. */
function namesFor(
  model: Model,
  path: string,
  flag: string,
): { what: string; names: string[]; where: string } | undefined {
  const { root, environments, workloads, pipelines, application } = model;
  const [group = "", verb = ""] = path.split(" ");
  // A one-off task lives nowhere in the workspace, and what is being made does not exist yet.
  if (flag === "--app")
    return { what: "application", names: [application], where: inside(root, ".workspace") };
  if (flag === "--env")
    return { what: "environment", names: environments, where: inside(root, "environments") };
  if (flag === "--workload")
    return { what: "workload", names: workloads.map(({ name }) => name), where: root };
  if (flag !== "--name" || verb === "init") return undefined;
  if (group === "env")
    return { what: "environment", names: environments, where: inside(root, "environments") };
  if (group === "pipeline")
    return { what: "pipeline", names: pipelines.map(({ name }) => name), where: inside(root, "pipelines") };
  if (path === "deploy" || group === "run" || path === "svc exec")
    return { what: "workload", names: workloads.map(({ name }) => name), where: root };
  if (group !== "svc" && group !== "job") return undefined;
  const names = workloads.filter((workload) => kind(workload) === group).map(({ name }) => name);
  return { what: group === "svc" ? "service" : "job", names, where: root };
}
