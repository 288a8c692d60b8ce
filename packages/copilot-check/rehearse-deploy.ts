import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Workload } from "copilot-manifest";
import { parseDocument } from "yaml";
import { CloudFormation, type Stack } from "./cloud-formation.ts";
import { copilotCli, reasonOf, type CopilotCli } from "./copilot-cli.ts";
import type { ScriptRun } from "./custom-resources.ts";
import { stackNames } from "./names.ts";
import { formatFinding, type Finding } from "./report.ts";
import type { Setting } from "./setting.ts";
import { addonFiles, copyWorkspace, type WorkspaceCopy } from "./workspace-copy.ts";
import { rehearsedAccount } from "./rehearsed-account.ts";

export interface RehearsalOptions {
  environment: string;
  binary: string;
  /** The AWS clients of Lambda's runtime, for the custom resources' scripts. */
  modules: string;
  /** One line for each command, as it ends. */
  say: (line: string) => void;
}

export interface Rehearsal {
  commands: number;
  findings: Finding[];
  /** What was refused as it should be, in its order. */
  refusals: Refused[];
  ms: number;
  /** Of the wanted commands that deploy, without refusals. */
  deployMs: number;
  scripts: ScriptRun[];
  cloud: CloudFormation;
}

export interface Refused {
  /** As a person would type it. */
  command: string;
  /** The mistake. */
  mistake: string;
  /** What the CLI or CloudFormation said. */
  said: string;
}

/**
 * The real CLI's whole way from an empty account to a deployed environment with its pipelines, then a changed manifest as
 * an update, its rollback, and one refusal of each kind. The small CloudFormation carries out the change sets, and the
 * custom resources' own scripts run on this Node.
 */
export async function rehearseDeploy(setting: Setting, options: RehearsalOptions): Promise<Rehearsal> {
  const { folders, region } = setting;
  const scratch = join(folders.local, "check", `rehearsal-${options.environment}`);
  rmSync(scratch, { recursive: true, force: true });
  const start = performance.now();
  const scripts: ScriptRun[] = [];
  const failing = new Map<string, string>();
  const { cloud, aws } = await rehearsedAccount(setting, {
    modules: options.modules,
    scratch,
    runs: scripts,
    fail: (stack, id) => failing.get(`${stack}/${id}`),
  });
  try {
    const copy = copyWorkspace(setting.root, join(scratch, "workspace"));
    const cli = copilotCli(aws, { binary: options.binary, root: copy.root, scratch, region });
    const script = new Script(setting, options, { cloud, cli, copy, failing, calls: () => aws.calls });
    await script.run();
    const ms = Math.round(performance.now() - start);
    return {
      commands: script.commands,
      findings: script.findings,
      refusals: script.refusals,
      ms,
      deployMs: script.deployMs,
      scripts,
      cloud,
    };
  } finally {
    await aws.close();
  }
}

/** The CLI's commands of a new application, with its domain and its permissions boundary. */
export function makeApplication({ workspace, config: { domain, permissionsBoundary } }: Setting): string[] {
  return [
    "app",
    "init",
    workspace.application,
    ...(domain === undefined ? [] : ["--domain", domain]),
    ...(permissionsBoundary === undefined ? [] : ["--permissions-boundary", permissionsBoundary]),
  ];
}

/** Of a new environment; credentials are asked for even where the environment has them. */
export function makeEnvironment(name: string, region: string): string[][] {
  const credentials = ["access-key-id", "secret-access-key", "session-token"];
  const given = credentials.flatMap((credential) => [`--aws-${credential}`, "offline"]);
  return [
    ["env", "init", "--name", name, "--default-config", "--region", region, ...given],
    ["env", "deploy", "--name", name],
  ];
}

/** Of all workloads in an empty environment, publishers first. */
export function deployAll({ config: { first = [] } }: Setting, environment: string): string[] {
  const order = first.length === 0 ? [] : ["--name", first.map((name, i) => `${name}/${i + 1}`).join(",")];
  return ["deploy", "--all", "--init-wkld", "--env", environment, ...order, "--tag", "rehearsed"];
}

interface Stage {
  cloud: CloudFormation;
  cli: CopilotCli;
  copy: WorkspaceCopy;
  failing: Map<string, string>;
  calls: () => { operation: string; status: number; host: string }[];
}

/** A command that must be refused, and what its output or the stack's failure must say. */
interface Refusal {
  because: RegExp;
}

class Script {
  commands = 0;
  deployMs = 0;
  readonly findings: Finding[] = [];
  readonly refusals: Refused[] = [];
  readonly #setting: Setting;
  readonly #options: RehearsalOptions;
  readonly #stage: Stage;

  constructor(setting: Setting, options: RehearsalOptions, stage: Stage) {
    this.#setting = setting;
    this.#options = options;
    this.#stage = stage;
  }

  async run(): Promise<void> {
    const { environment } = this.#options;
    const { config } = this.#setting;
    await this.#must(makeApplication(this.#setting));
    for (const before of config.after?.[environment] ?? []) await this.#environment(before);
    await this.#environment(environment);
    await this.#tooEarly();
    await this.#must(deployAll(this.#setting, environment));
    for (const name of this.#pipelines()) {
      await this.#must(["pipeline", "deploy", "--name", name, "--yes"]);
      await this.#must(["pipeline", "deploy", "--name", name, "--yes"], "nothing changed");
    }
    this.#complete();
    await this.#update();
    await this.#refusals();
    const unknown = this.#stage.calls().filter(({ status }) => status >= 500);
    for (const { operation, host } of unknown)
      this.findings.push({ message: `The stand-in failed at ${operation} of ${host}.` });
  }

  async #environment(name: string): Promise<void> {
    for (const args of makeEnvironment(name, this.#setting.region)) await this.#must(args);
  }

  /** What comes before its time is refused: a service that was never initialized, a subscriber without its topics. */
  async #tooEarly(): Promise<void> {
    const { environment } = this.#options;
    const workloads = this.#workloads();
    const publisher = workloads.find(({ publishes }) => publishes.length > 0);
    const subscriber = workloads.find(({ queue }) => queue && queue.subscriptions.length > 0);
    const first = publisher ?? workloads.find(({ type }) => type !== "Scheduled Job");
    if (!first) return;
    const deploy = (name: string) => [
      "svc",
      "deploy",
      "--name",
      name,
      "--env",
      environment,
      "--tag",
      "rehearsed",
    ];
    await this.#refused(
      deploy(first.name),
      { because: /couldn't find|not exist|init/i },
      "before `svc init`",
    );
    if (subscriber) {
      await this.#must(["svc", "init", "--name", subscriber.name]);
      await this.#refused(
        deploy(subscriber.name),
        { because: /SNS topic .* does not exist/i },
        "before its publisher",
      );
    }
    await this.#must(["svc", "init", "--name", first.name]);
    const stack = stackNames.workload(this.#setting.workspace.application, environment, first.name);
    await this.#while(`${stack}/Service`, "no capacity", () =>
      this.#refused(
        deploy(first.name),
        { because: /ROLLBACK_COMPLETE|no capacity/ },
        "a service that cannot start",
      ),
    );
  }

  /** Every workload's stack must be complete now, whatever the CLI said. */
  #complete(): void {
    const { workspace } = this.#setting;
    for (const name of workspace.workloads.keys()) {
      const stack = this.#find(name);
      if (stack?.status === "CREATE_COMPLETE") continue;
      const reason = stack?.failure?.message ?? "there is none";
      this.findings.push({
        message: `The stack of ${name} is not complete (${stack?.status ?? "missing"}): ${reason}`,
      });
    }
  }

  /** A changed manifest: rolled back when a resource fails, with nothing left of it; carried out when none does. */
  async #update(): Promise<void> {
    const workload =
      this.#workloads().find(({ type, count }) => type !== "Scheduled Job" && typeof count === "number") ??
      this.#workloads()[0];
    if (!workload) return;
    const { environment } = this.#options;
    const deploy = ["svc", "deploy", "--name", workload.name, "--env", environment, "--tag", "rehearsed"];
    const stack = this.#find(workload.name);
    if (!stack) return;
    if (typeof workload.count === "number") await this.#must(deploy, "nothing changed");
    await this.#stage.copy.changed(workload.file, withVariable, async () => {
      const before = stateOf(stack);
      await this.#while(`${stack.name}/Service`, "no capacity", () =>
        this.#refused(
          deploy,
          { because: /UPDATE_ROLLBACK_COMPLETE|no capacity/ },
          "a changed manifest whose service cannot start",
        ),
      );
      if (stateOf(stack) !== before)
        this.findings.push({ message: `The rollback of ${stack.name} left something changed.` });
      await this.#must(deploy, "the same change, carried out");
      if (stateOf(stack) === before)
        this.findings.push({ message: `The update of ${stack.name} changed nothing.` });
    });
  }

  /** What CloudFormation would refuse. Each mistake is made in the copy, and taken back. */
  async #refusals(): Promise<void> {
    const { environment } = this.#options;
    const { copy } = this.#stage;
    const deployEnvironment = ["env", "deploy", "--name", environment];
    const reader = this.#workloads().find(
      ({ type, variables }) =>
        type !== "Scheduled Job" && Object.values(variables).some((variable) => "fromCfn" in variable),
    );
    if (reader) {
      const wrong = (text: string) => text.replaceAll(/(from_cfn: .*)$/gm, "$1Nowhere");
      await copy.changed(reader.file, wrong, () =>
        this.#refused(
          ["svc", "deploy", "--name", reader.name, "--env", environment, "--tag", "rehearsed"],
          { because: /No stack exports .*Nowhere/ },
          "a missing export",
        ),
      );
    }
    const shared = this.#sharedExport();
    if (shared) {
      const renamed = (text: string) =>
        text.replaceAll(new RegExp(`-${shared.suffix}\\b`, "g"), `-${shared.suffix}Renamed`);
      await copy.changed(shared.file, renamed, () =>
        this.#refused(
          deployEnvironment,
          { because: /cannot be (?:deleted|changed)/ },
          `the export ${shared.suffix}, in use, renamed`,
        ),
      );
    }
    const addon = (body: string) => () =>
      `Parameters:\n  App:\n    Type: String\n  Env:\n    Type: String\nResources:\n  Rehearsed:\n${body}`;
    const file = "copilot/environments/addons/rehearsed.yml";
    const nested = addon(
      `    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: copilot/environments/${environment}/manifest.yml\n`,
    );
    await copy.changed(file, nested, () =>
      this.#refused(
        deployEnvironment,
        { because: /must be an https URL of S3/ },
        "a nested template of its own folder",
      ),
    );
    const dangling = addon("    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: !Ref Nowhere\n");
    await copy.changed(file, dangling, () =>
      this.#refused(deployEnvironment, { because: /no parameter or resource Nowhere/ }, "a dangling !Ref"),
    );
  }

  /** An export of the environment's addons that a workload reads. */
  #sharedExport(): { suffix: string; file: string } | undefined {
    const { cloud } = this.#stage;
    const { environment } = this.#options;
    const prefix = `${this.#setting.workspace.application}-${environment}-`;
    for (const [name, { stack }] of cloud.exports) {
      const used = [...cloud.stacks.values()].some(
        (other) => other.name !== stack && other.imports.has(name),
      );
      if (!used || !name.startsWith(prefix) || cloud.find(stack)?.parent !== prefix.slice(0, -1)) continue;
      const suffix = name.slice(prefix.length);
      const file = this.#addonFile(suffix);
      if (file !== undefined) return { suffix, file };
    }
    return undefined;
  }

  #addonFile(suffix: string): string | undefined {
    return addonFiles(this.#stage.copy.root).find(({ text }) => text.includes(`-${suffix}`))?.file;
  }

  #pipelines(): string[] {
    return [...this.#setting.workspace.pipelines.values()]
      .filter(({ root }) => {
        const stages = root?.entries.get("stages")?.value;
        const items = stages?.kind === "list" ? stages.items : [];
        return items.some((stage) => {
          const name = stage.kind === "map" ? stage.entries.get("name")?.value : undefined;
          return name?.kind === "scalar" && name.text === this.#options.environment;
        });
      })
      .map(({ name }) => name);
  }

  #workloads(): Workload[] {
    return this.#setting.resolved.get(this.#options.environment)?.workloads ?? [];
  }

  #find(workload: string): Stack | undefined {
    return this.#stage.cloud.find(
      stackNames.workload(this.#setting.workspace.application, this.#options.environment, workload),
    );
  }

  async #while(resource: string, reason: string, work: () => Promise<void>): Promise<void> {
    this.#stage.failing.set(resource, reason);
    await work();
    this.#stage.failing.delete(resource);
  }

  async #must(args: string[], note?: string): Promise<void> {
    const run = await this.#stage.cli.run(args, this.#variables());
    this.deployMs += run.ms;
    this.#record(args, run.code === 0, run.code, run.ms, note);
    if (run.code === 0) return;
    const failure = [...this.#stage.cloud.stacks.values()].findLast((stack) => stack.failure)?.failure;
    const reason =
      failure && /ROLLBACK/.test(reasonOf(run))
        ? `${reasonOf(run)} (${failure.path.join("/")}: ${failure.message})`
        : reasonOf(run);
    this.findings.push({ message: `copilot ${shown(args)} ended with exit code ${run.code}: ${reason}` });
  }

  async #refused(args: string[], { because }: Refusal, note: string): Promise<void> {
    const run = await this.#stage.cli.run(args, this.#variables());
    const failures = [...this.#stage.cloud.stacks.values()].flatMap(({ failure }) =>
      failure ? [failure.message] : [],
    );
    const said = [run.stdout, run.stderr, ...failures].join("\n");
    const ok = run.code === 1 && because.test(said);
    this.#record(args, ok, run.code, run.ms, `refused: ${note}`);
    if (!ok) {
      this.findings.push({
        message: `copilot ${shown(args)} (${note}) should be refused because of ${because.source}; exit code ${run.code}: ${reasonOf(run)}`,
      });
      return;
    }
    const line = [...failures, ...said.split("\n")].find((text) => because.test(text))?.trim() ?? "";
    this.refusals.push({ command: `copilot ${shown(args)}`, mistake: note, said: line });
    this.#options.say(`      ${line}`);
  }

  #record(args: string[], ok: boolean, code: number, ms: number, note?: string): void {
    this.commands += 1;
    const tail = note === undefined ? "" : `  (${note})`;
    this.#options.say(
      `${ok ? "✔" : "✘"} exit ${code} ${(ms / 1000).toFixed(2).padStart(6)} s  copilot ${shown(args)}${tail}`,
    );
  }

  /** What manifests interpolate: from the exports of what is deployed here, else the example. */
  #variables(): Record<string, string> {
    const { config, variables } = this.#setting;
    const { exports } = this.#stage.cloud;
    return Object.fromEntries(
      Object.entries(config.variables ?? {}).map(([name, source]) => {
        if (typeof source === "string") return [name, source];
        try {
          return [name, source.from((exported) => exports.get(exported)?.value ?? missing(exported))];
        } catch {
          return [name, variables[name] ?? ""];
        }
      }),
    );
  }
}

function missing(name: string): never {
  throw new Error(`${name} is not exported yet`);
}

/** A command as a person would type it; credentials are none of its business. */
function shown(args: string[]): string {
  const at = args.indexOf("--aws-access-key-id");
  return (at < 0 ? args : args.slice(0, at)).join(" ");
}

/** One variable more, comments kept. */
function withVariable(text: string): string {
  const document = parseDocument(text);
  document.setIn(["variables", "REHEARSED"], "yes");
  return document.toString({ lineWidth: 0 });
}

/** Everything of a stack that an update may change and a rollback must not. */
function stateOf({ resources, outputs, parameters }: Stack): string {
  return JSON.stringify([
    [...resources].map(([id, { ref, properties }]) => [id, ref, properties]),
    outputs,
    parameters,
  ]);
}

/** The last words of a rehearsal. */
export function formatRehearsal(
  environment: string,
  { commands, findings, ms, deployMs, scripts, cloud }: Rehearsal,
): string {
  const failures = findings.map((finding) => `${formatFinding(finding)}\n`).join("");
  const slowest = Math.max(0, ...scripts.map((run) => run.ms));
  const runtimes = [...new Set(scripts.map(({ runtime }) => runtime))].join(", ");
  const stacks = `${cloud.stacks.size} stacks with ${[...cloud.resources()].length} resources and ${cloud.exports.size} exports`;
  return `${failures}${environment}: ${commands} commands in ${(ms / 1000).toFixed(1)} s, ${(deployMs / 1000).toFixed(1)} s of them without refusals; ${stacks}; ${scripts.length} runs of custom-resource scripts on ${runtimes} (slowest ${slowest} ms)\n`;
}
