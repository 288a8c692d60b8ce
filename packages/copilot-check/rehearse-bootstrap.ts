import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CloudFormation } from "./cloud-formation.ts";
import { copilotCli, execute, offline, type Run } from "./copilot-cli.ts";
import { stackNames } from "./names.ts";
import { oneOffTasks, type OneOffTask } from "./one-off-tasks.ts";
import { operatedAccount, operatorCalls } from "./operator-calls.ts";
import { outside } from "./outside.ts";
import { programs } from "./programs.ts";
import type { Finding } from "./report.ts";
import type { Setting } from "./setting.ts";
import { UserError } from "./user-error.ts";
import { copyWorkspace } from "./workspace-copy.ts";
import { rehearsedAccount } from "./rehearsed-account.ts";

export interface BootstrapOptions {
  environment: string;
  /** The Copilot CLI. */
  binary: string;
  /** Folder of the AWS CLI. */
  aws: string;
  /** The AWS clients of Lambda's runtime. */
  modules: string;
  say: (line: string) => void;
}

/** Calls that make something there is one of: a second run must not repeat them. */
const makers = [
  "CreateStackSet",
  "CreateStackInstances",
  "CreateReceiptRuleSet",
  "CreatePolicy",
  "PutParameter",
];

/**
 * The workspace's own bootstrap script, with the real `copilot` and the real `aws`, against an empty account: it must stop
 * where its first task fails and go on from there, deploy everything in order, and make nothing twice. Resolves to what went
 * wrong.
 */
export async function rehearseBootstrap(setting: Setting, options: BootstrapOptions): Promise<Finding[]> {
  const { workspace, region, folders, config } = setting;
  const { environment, say } = options;
  const { script, answers = [] } = config.bootstrap ?? {};
  if (script === undefined)
    throw new UserError(
      "No bootstrap script is known.",
      "Name it in copilot-check.config.ts: `bootstrap: { script: … }`.",
    );
  const scratch = join(folders.local, "check", `bootstrap-${environment}`);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const state = operatedAccount();
  const tasks: OneOffTask[] = [];
  let exitCode = 0;
  const {
    cloud,
    answers: operated,
    aws,
  } = await rehearsedAccount(setting, {
    modules: options.modules,
    scratch,
    beside: (made) => ({
      ...operatorCalls(made, state),
      ...oneOffTasks(made, { tasks, exitCode: () => exitCode }),
    }),
  });
  const seen = await outside(cloud, operated);
  try {
    const { root } = copyWorkspace(setting.root, join(scratch, "workspace"));
    const cli = copilotCli(aws, { binary: options.binary, root, scratch, region });
    const given = offline(aws, {
      cert: join(scratch, "cert.pem"),
      home: join(scratch, "home"),
      region,
      path: options.aws,
    });
    const PATH = programs({
      folder: join(scratch, "programs"),
      copilot: cli.script(),
      awsProgram: join(options.aws, "aws"),
      aws: given,
      outside: seen.url,
      docker: join(scratch, "bin"),
      root: setting.root,
    });
    const findings: Finding[] = [];
    const run = async (name: string, note: string, wanted: (run: Run) => boolean): Promise<Run> => {
      const ended = await execute("/bin/sh", [join(root, script), name], {
        cwd: root,
        timeout: 600_000,
        input: answers.map((answer) => `${answer}\n`).join(""),
        env: {
          // How this machine reaches its registry stands in its environment; how it reaches AWS must not be known.
          ...Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("AWS_"))),
          PATH,
          GIT_DIR: join(setting.root, ".git"),
          AWS_ACCESS_KEY_ID: "offline",
          AWS_SECRET_ACCESS_KEY: "offline",
          AWS_SESSION_TOKEN: "offline",
        },
      });
      const ok = wanted(ended);
      say(
        `${ok ? "✔" : "✘"} exit ${ended.code} ${(ended.ms / 1000).toFixed(1).padStart(5)} s  ${script} ${name}  (${note})`,
      );
      if (!ok)
        findings.push({
          file: script,
          message: `${name} (${note}) ended with exit code ${ended.code}:\n${`${ended.stdout}${ended.stderr}`.slice(-3000)}`,
        });
      return ended;
    };
    const stacksOf = (name: string): string[] =>
      [...workspace.workloads.keys()].filter((workload) =>
        cloud.find(stackNames.workload(workspace.application, name, workload))?.status.endsWith("_COMPLETE"),
      );
    const need = (ok: boolean, message: string): void =>
      void (ok || findings.push({ file: script, message }));

    await run(
      "nowhere",
      "refused: an environment that is not there",
      ({ code, stderr }) => code !== 0 && /nowhere/.test(stderr),
    );
    need(aws.calls.length === 0, "It asked AWS something before it knew whether the environment exists.");

    for (const before of config.after?.[environment] ?? [])
      await run(before, "the environment whose network it lives in", ({ code }) => code === 0);

    const active = state.activeRuleSet;
    state.activeRuleSet = "somebody-elses";
    await run(
      environment,
      "refused: another rule set for mail is active",
      ({ code, stdout, stderr }) => code !== 0 && /somebody-elses/.test(stdout + stderr),
    );
    need(
      state.activeRuleSet === "somebody-elses",
      "It replaced the account's active rule set for mail, which was not ours.",
    );
    if (active === undefined) delete state.activeRuleSet;
    else state.activeRuleSet = active;

    exitCode = 3;
    const started = tasks.length;
    await run(
      environment,
      "its one-off task fails",
      ({ code, stdout }) => code === 3 && stdout.includes(`"msg"`),
    );
    need(
      tasks.length === started + 1,
      `It started ${tasks.length - started} one-off tasks, where one was to fail.`,
    );
    need(
      stacksOf(environment).length === 0,
      `After the failed task it deployed ${stacksOf(environment).join(", ")}.`,
    );
    for (const { exitCode: code, stoppedReason } of tasks)
      need(code !== undefined, `The one-off task never started: ${stoppedReason}`);

    exitCode = 0;
    const first = await run(environment, "goes on, to the end", ({ code }) => code === 0);
    const missing = [...workspace.workloads.keys()].filter((name) => !stacksOf(environment).includes(name));
    need(missing.length === 0, `It left out ${missing.join(", ")}.`);
    const task = tasks.at(-1);
    const early = (task?.stacks ?? []).filter(
      (name) =>
        name.startsWith(`${stackNames.environment(workspace.application, environment)}-`) &&
        isWorkload(setting, name),
    );
    need(early.length === 0, `These were there before the one-off task: ${early.join(", ")}.`);
    const order = [...cloud.stacks.values()]
      .filter(
        ({ name }) =>
          name.startsWith(`${workspace.application}-${environment}-`) && isWorkload(setting, name),
      )
      .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt));
    for (const [i, name] of (config.first ?? []).entries())
      need(
        order[i]?.name === stackNames.workload(workspace.application, environment, name),
        `${name} should be workload ${i + 1} to be deployed, but ${order[i]?.name} was.`,
      );
    need(
      state.mutability.size >= workspace.workloads.size && state.lifecycles.size === state.mutability.size,
      "Repositories without a lifecycle or with movable tags are left.",
    );
    need(
      state.protectedStacks.has(stackNames.environment(workspace.application, environment)),
      "The environment's stack, which holds its data, may be deleted by one command.",
    );
    if (first.code === 0) {
      const before = exportsOf(cloud);
      const calls = aws.calls.length;
      await run(environment, "once more", ({ code }) => code === 0);
      const again = aws.calls
        .slice(calls)
        .filter(({ operation, status }) => makers.includes(operation) && status < 300);
      need(
        again.length === 0,
        `A second run made again: ${[...new Set(again.map(({ operation }) => operation))].join(", ")}.`,
      );
      need(exportsOf(cloud) === before, "A second run changed what the stacks export.");
    }
    const unknown = aws.calls.filter(({ status }) => status >= 500);
    for (const { operation, host } of unknown)
      findings.push({ message: `The stand-in failed at ${operation} of ${host}.` });
    say(`  ${aws.calls.length} calls of AWS, ${tasks.length} one-off tasks`);
    return findings;
  } finally {
    await seen.close();
    await aws.close();
  }
}

function isWorkload({ workspace }: Setting, stack: string): boolean {
  return workspace.environments.some((environment) =>
    [...workspace.workloads.keys()].some(
      (name) => stack === stackNames.workload(workspace.application, environment, name),
    ),
  );
}

function exportsOf(cloud: CloudFormation): string {
  return JSON.stringify([...cloud.exports].toSorted(([a], [b]) => a.localeCompare(b)));
}
