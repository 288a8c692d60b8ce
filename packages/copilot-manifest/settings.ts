import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDuration } from "./duration.ts";
import { at, entriesOf, itemsOf, textOf, textsOf } from "./node.ts";
import { suggest } from "./problem.ts";
import { isRule, ruleNames, setNames } from "./rules.ts";
import { dictOf, duration, listOf, map, oneOf, string, strings } from "./schema.ts";
import type { Exception, Node, Problem, Settings, Workspace, WorkloadSettings } from "./types.ts";
import { validate } from "./validate.ts";
import { parseYaml } from "./yaml.ts";

/** Beside `copilot/`: what no manifest can say. */
export const settingsFile = "copilot-manifest.yml";

const schema = map({
  rules: oneOf(...setNames),
  production: strings,
  elsewhere: strings,
  code: map({ entries: strings, functions: strings, call: string, read: strings }),
  workloads: dictOf(
    map({ entry: string, required: strings, optional: strings, health: strings, handler_limit: duration }),
  ),
  except: listOf(map({ rule: string, workload: string, environment: string, reason: string })),
});

/**
 * Reads `copilot-manifest.yml` of the workspace's root; without one, the recommended rules and nothing else.
 * What is wrong in it is in `problems`, never an exception.
 */
export function readSettings(workspace: Workspace): { settings: Settings; problems: Problem[] } {
  const path = join(workspace.root, settingsFile);
  const settings: Settings = { elsewhere: [], workloads: {}, except: [] };
  if (!existsSync(path)) return { settings, problems: [] };
  const { root, problems } = parseYaml(settingsFile, readFileSync(path, "utf8"));
  if (!root) return { settings, problems };
  const found: Problem[] = [];
  validate(root, schema, found);
  for (const problem of found)
    problems.push({ ...problem, message: problem.message.replace("that Copilot knows", "of this file") });
  const rules = textOf(at(root, "rules"));
  if (rules === "strict" || rules === "recommended") settings.rules = rules;
  const production = at(root, "production");
  if (production) settings.production = namesOf(production, workspace.environments, "environments", problems);
  settings.elsewhere = textsOf(at(root, "elsewhere")) ?? [];
  const code = at(root, "code");
  if (code) {
    settings.code = {
      entries: textsOf(at(code, "entries")) ?? [],
      functions: textsOf(at(code, "functions")) ?? [],
      call: textOf(at(code, "call")) ?? "env",
      read: textsOf(at(code, "read")) ?? [],
    };
  }
  for (const [name, { key, value }] of entriesOf(at(root, "workloads"))) {
    if (!workspace.workloads.has(name))
      problems.push(unknown(name, "workload", workspace.workloads.keys(), key));
    settings.workloads[name] = workloadSettings(value);
  }
  settings.except = itemsOf(at(root, "except")).flatMap((item) => exceptionOf(item, workspace, problems));
  return { settings, problems };
}

function workloadSettings(node: Node): WorkloadSettings {
  const limit = parseDuration(textOf(at(node, "handler_limit")) ?? "");
  const [entry, required, optional, health] = [
    textOf(at(node, "entry")),
    textsOf(at(node, "required")),
    textsOf(at(node, "optional")),
    textsOf(at(node, "health")),
  ];
  return {
    ...(entry === undefined ? {} : { entry }),
    ...(required || optional ? { keys: { required: required ?? [], optional: optional ?? [] } } : {}),
    ...(health ? { health } : {}),
    ...(limit === undefined ? {} : { handlerLimitSeconds: limit }),
  };
}

function exceptionOf(item: Node, workspace: Workspace, problems: Problem[]): Exception[] {
  const [rule, workload, environment, reason] = ["rule", "workload", "environment", "reason"].map((key) =>
    textOf(at(item, key)),
  );
  if (!rule || !reason) {
    const hint = "Say why this workspace does not keep the rule: whoever reads it decides by that.";
    problems.push({
      rule: "settings",
      message: "An exception needs a `rule` and a `reason`.",
      hint,
      ...item.at,
    });
    return [];
  }
  if (!isRule(rule)) {
    problems.push(unknown(rule, "rule", ruleNames, at(item, "rule")?.at ?? item.at));
    return [];
  }
  if (workload && !workspace.workloads.has(workload))
    problems.push(unknown(workload, "workload", workspace.workloads.keys(), item.at));
  if (environment) namesOf(at(item, "environment"), workspace.environments, "environments", problems);
  return [
    {
      rule,
      reason,
      at: item.at,
      ...(workload ? { workload } : {}),
      ...(environment ? { environment } : {}),
    },
  ];
}

function namesOf(node: Node | undefined, known: string[], what: string, problems: Problem[]): string[] {
  const names = textsOf(node) ?? [];
  // Without folders nothing here says which environments exist.
  if (known.length === 0) return names;
  for (const name of names)
    if (!known.includes(name)) problems.push(unknown(name, what.slice(0, -1), known, node?.at));
  return names;
}

function unknown(
  name: string,
  what: string,
  known: Iterable<string>,
  place: Node["at"] | undefined,
): Problem {
  const at = place ?? { file: settingsFile, line: 1, column: 1 };
  return {
    rule: "settings",
    message: `There is no ${what} \`${name}\`.`,
    hint: suggest(name, known, `${what}s`),
    ...at,
  };
}
