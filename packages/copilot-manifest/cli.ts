#!/usr/bin/env node
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import {
  check,
  environmentsOf,
  formatProblems,
  readSettings,
  readWorkspace,
  resolve,
  rules,
} from "./index.ts";
import { isCertain } from "./check.ts";
import { suggest } from "./problem.ts";
import type { Queue, Resolved, Workload, Workspace } from "./types.ts";

const usage = `copilot-manifest check [--root dir] [--reporter text|json] [--rules recommended|strict] [--production env,…] [--elsewhere service,…] [--app name]
copilot-manifest show --env name [--root dir] [--app name] [--json] [workload]
copilot-manifest rules

check  says what is wrong in a Copilot workspace, with file, line and what to do; exits 1 when something is.
show   prints the workloads as one environment sees them: interpolated, merged, with Copilot's defaults.
rules  prints every rule and what it demands.

--root        the folder in which copilot/ lies (default: here)
--app         the application, where copilot/.workspace is not committed
--rules       recommended (default): what Copilot or AWS refuses, ignores or loses; strict adds house rules
--production  the environments that people live from (default: those that a pipeline deploys after approval)
--elsewhere   services of the application that live in other repositories

copilot-manifest.yml beside copilot/ says the same for good, and which rules a workload does not keep, and why.
`;

const options = {
  root: { type: "string", default: "." },
  app: { type: "string" },
  env: { type: "string" },
  json: { type: "boolean", default: false },
  reporter: { type: "string", default: "text" },
  elsewhere: { type: "string", default: "" },
  rules: { type: "string" },
  production: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

type Options = ReturnType<typeof parse>["values"];

function parse(args: string[]) {
  return parseArgs({ args, options, allowPositionals: true });
}

function main(args: string[]): number {
  const { values, positionals } = parse(args);
  const [command, name] = positionals;
  if (command === "check") return runCheck(values);
  if (command === "show") return show(values, name);
  if (command === "rules") return printRules();
  (values.help ? process.stdout : process.stderr).write(usage);
  return values.help ? 0 : 2;
}

/** The workspace, with the application's name from outside where the workspace does not say it. */
function workspaceOf({ root, app }: Options): Workspace {
  const workspace = readWorkspace(root);
  if (app === undefined || workspace.application !== "") return workspace;
  const problems = workspace.problems.filter(({ rule }) => rule !== "no-workspace-file");
  return { ...workspace, application: app, problems };
}

function runCheck(values: Options): number {
  const { reporter, elsewhere, rules: set, production } = values;
  const start = performance.now();
  if (reporter !== "text" && reporter !== "json")
    throw new Error(`There is no reporter ${reporter}: text or json.`);
  if (set !== undefined && set !== "recommended" && set !== "strict")
    throw new Error(`There are no rules ${set}: recommended or strict.`);
  const workspace = workspaceOf(values);
  const { settings, problems: wrongSettings } = readSettings(workspace);
  if (set !== undefined) settings.rules = set;
  if (production !== undefined) settings.production = listed(production);
  const stranger = listed(production ?? "").find((name) => !environmentsOf(workspace).includes(name));
  if (stranger !== undefined)
    throw new Error(
      `There is no environment ${stranger}. ${suggest(stranger, environmentsOf(workspace), "environments")}`,
    );
  const found = check(workspace, process.env, { elsewhere: listed(elsewhere), settings });
  const problems = [...wrongSettings, ...found];
  if (reporter === "json") process.stdout.write(`${JSON.stringify(problems, undefined, 2)}\n`);
  else if (problems.length > 0) process.stdout.write(`${formatProblems(problems)}\n`);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { workloads, pipelines } = workspace;
  const read = `${workloads.size} workloads × ${environmentsOf(workspace).length} environments, ${pipelines.size} pipelines`;
  const by = settings.rules === "strict" ? ", strict rules" : "";
  process.stderr.write(
    `${problems.length === 0 ? "✔" : "✘"} ${read}${by}: ${problems.length} problems (${seconds} s)\n`,
  );
  return problems.length === 0 ? 0 : 1;
}

function listed(text: string): string[] {
  return text.split(",").filter(Boolean);
}

function printRules(): number {
  const rows = Object.entries(rules).flatMap(([set, all]) =>
    Object.entries(all).map(([name, demand]) => [set, name, demand]),
  );
  process.stdout.write(columns(rows));
  return 0;
}

function show(values: Options, name: string | undefined): number {
  const { env, json } = values;
  const workspace = workspaceOf(values);
  const known = environmentsOf(workspace);
  if (env === undefined || (workspace.environments.length > 0 && !known.includes(env))) {
    const what = env === undefined ? "--env is missing." : `There is no environment ${env}.`;
    process.stderr.write(`✘ ${what}\n  ${suggest(env ?? "", known, "environments")}\n`);
    return 2;
  }
  const resolved = resolve(workspace, env);
  const one = resolved.workloads.find((workload) => workload.name === name);
  if (name !== undefined && !one) {
    const names = resolved.workloads.map((workload) => workload.name);
    process.stderr.write(`✘ There is no workload ${name}.\n  ${suggest(name, names, "workloads")}\n`);
    return 2;
  }
  if (json) process.stdout.write(`${JSON.stringify(one ?? resolved, undefined, 2)}\n`);
  else process.stdout.write(one ? stringify(one.manifest) : table(resolved));
  if (resolved.problems.length > 0) process.stderr.write(`${formatProblems(resolved.problems)}\n`);
  return resolved.problems.some(isCertain) ? 1 : 0;
}

function table({ workloads, topology }: Resolved): string {
  const lines = [
    ["workload", "type", "port", "cpu", "memory", "tasks", "schedule"],
    ...workloads.map((workload) => [
      workload.name,
      workload.type,
      String(workload.image.port ?? "–"),
      String(workload.cpu),
      String(workload.memory),
      tasks(workload),
      workload.schedule?.rule ?? (workload.schedule ? "disabled" : "–"),
    ]),
  ];
  const topics = topology.topics.map((topic) => `topic  ${topic.resourceName}\n`);
  const queues = topology.queues.map((queue) => `queue  ${queue.resourceName}  ←  ${fedBy(queue)}\n`);
  return `${columns(lines)}\n${topics.join("")}\n${queues.join("")}`;
}

function tasks({ count }: Workload): string {
  return typeof count === "number" ? String(count) : `${count.min}–${count.max}`;
}

function fedBy({ subscriptions, deadLetter }: Queue): string {
  const topics = subscriptions
    .map(({ topic, rawDelivery }) => `${topic}${rawDelivery ? " (raw)" : ""}`)
    .join(", ");
  return `${topics || "nothing"}${deadLetter ? `, dead letters after ${deadLetter.tries} tries` : ""}`;
}

function columns(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_cell, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  // Mistakes in the workspace are problems, not exceptions: what comes here is the command line, or a file that cannot be read.
  const { message, code } = error as NodeJS.ErrnoException;
  process.stderr.write(`✘ ${message}\n${code?.startsWith("ERR_PARSE_ARGS") ? usage : ""}`);
  process.exitCode = 2;
}
