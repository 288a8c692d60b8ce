import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import type { AddonStack, Position, Problem, Resolved, Workload } from "copilot-manifest";
import type { Config, Local, LocalProcess, SetupCommand, Value } from "./config.ts";
import { baseVariables, variablesOf, type EnvironmentContext } from "./environment.ts";
import { functionProcess, handlerOf, type Handler } from "./functions.ts";
import { localAddons, type LocalAddons, type LocalFunction } from "./local-addons.ts";
import { commandOf, packageFolder, readPackage, searchPath } from "./package-folder.ts";
import { account } from "./cloud.ts";
import { freePort, holderOf, isFree, portNear } from "./ports.ts";
import { httpProbe, portProbe, probeOf, type Probe } from "./readiness.ts";
import type { Secrets } from "./secrets.ts";
import { UserError } from "./user-error.ts";

/** A process to run, with everything that it needs to start. */
export interface PlannedProcess {
  name: string;
  kind: "service" | "job" | "function" | "local";
  type: string;
  directory: string;
  command: string[];
  variables: Record<string, string>;
  port: number | undefined;
  /** Where people look at it; undefined when there is nothing to see in a browser. */
  url: string | undefined;
  probe: Probe | undefined;
  workload: Workload | undefined;
  fn: LocalFunction | undefined;
}

interface PlannedSetup {
  name: string;
  directory: string;
  command: string[];
  variables: Record<string, string>;
  notes: string | undefined;
}

export interface Plan {
  processes: PlannedProcess[];
  setup: PlannedSetup[];
  addons: LocalAddons;
  databasePort: number;
  awsPort: number;
  /** Workloads of the manifests that cannot run here, with the reason. */
  notRunHere: { name: string; reason: string; at: Position }[];
}

export interface PlanContext {
  root: string;
  data: string;
  resolved: Resolved;
  stacks: AddonStack[];
  config: Config;
  secrets: Secrets;
  freePorts: boolean;
  /** Where SESv2 is answered: the dashboard's own address. */
  mailEndpoint: string;
}

/**
 * Decides everything before anything starts: ports, folders, commands, variables. Throws a UserError that lists what is
 * taken or missing, each with its place in a manifest.
 */
export async function makePlan(context: PlanContext): Promise<Plan> {
  const { root, resolved, stacks, config, freePorts } = context;
  const problems: Problem[] = [];
  const ports = await workloadPorts(resolved.workloads, freePorts);
  const awsPort = freePorts ? await freePort() : await portNear(4566);
  const databasePort = freePorts ? await freePort() : await portNear(declaredDatabasePort(stacks), 15_432);
  const region = config.region ?? "us-east-1";
  const awsEndpoint = `http://127.0.0.1:${awsPort}`;
  const queueUrl = (name: string) => `${awsEndpoint}/${account}/${name}`;
  const addons = localAddons(stacks, resolved, { region, databasePort, queueUrl });

  const localPorts = new Map<string, number>();
  for (const { name, port } of config.processes ?? []) {
    localPorts.set(
      name,
      port === undefined || freePorts ? await freePort() : await configuredPort(name, port),
    );
  }
  const local = localMeaning(context, region, addons, databasePort, ports, localPorts);
  const answers = new Map<string, string>();
  for (const [name, value] of Object.entries(config.variables ?? {}))
    answers.set(name, valueOf(value, local));
  for (const process of config.processes ?? []) {
    for (const [variable, path] of Object.entries(process.answers ?? {})) {
      answers.set(variable, `${local.url(process.name)}${path}`);
    }
  }

  const environment: EnvironmentContext = {
    root,
    resolved,
    region,
    addons,
    secrets: context.secrets,
    ports,
    awsEndpoint,
    mailEndpoint: context.mailEndpoint,
    queueUrl,
    topicArn: (name) => `arn:aws:sns:${region}:${account}:${name}`,
    answers,
  };
  const base = (directory: string) =>
    baseVariables(environment, searchPath(root, directory), join(context.data, "compile-cache"));

  const processes: PlannedProcess[] = [];
  const notRunHere: Plan["notRunHere"] = [];
  for (const workload of resolved.workloads) {
    const reason = whyNotHere(workload);
    if (reason) {
      notRunHere.push({ name: workload.name, reason, at: workload.source(["type"]) });
      continue;
    }
    const directory = packageFolder(root, workload)!;
    const command = startCommand(root, workload, directory, problems);
    const variables = { ...base(directory), ...variablesOf(workload, environment, problems) };
    const port = workload.type === "Scheduled Job" ? undefined : ports.get(workload.name);
    processes.push({
      name: workload.name,
      kind: workload.type === "Scheduled Job" ? "job" : "service",
      type: workload.type,
      directory,
      command,
      variables,
      port,
      url: workload.http && port !== undefined ? `http://127.0.0.1:${port}${pathOf(workload)}` : undefined,
      probe: probeOf(workload, { directory, variables, port }),
      workload,
      fn: undefined,
    });
  }
  for (const fn of addons.functions) {
    const handler = findHandler(root, fn, problems);
    if (!handler) continue;
    const port = await freePort();
    processes.push({
      ...functionProcess(fn, handler, port, base(handler.directory)),
      name: functionLabel(fn, handler),
      kind: "function",
      type: "Lambda Function",
      directory: handler.directory,
      port,
      url: undefined,
      probe: httpProbe(port, "/"),
      workload: undefined,
      fn,
    });
  }
  for (const process of config.processes ?? []) {
    const port = localPorts.get(process.name)!;
    processes.push(localProcess(root, process, port, local, base, context.secrets, resolved));
  }
  if (problems.length > 0) throw new PlanProblems(problems);
  const setup = (config.setup ?? []).map((command) => setupCommand(root, command, local, base));
  return { processes, setup, addons, databasePort, awsPort, notRunHere };
}

/** Mistakes in the manifests that only the local meaning shows; printed like the others. */
export class PlanProblems extends Error {
  override name = "PlanProblems";
  readonly problems: Problem[];
  constructor(problems: Problem[]) {
    super(`${problems.length} problems`);
    this.problems = problems;
  }
}

/** `image.port`, else the variable PORT: where the container would listen. */
function declaredPort(workload: Workload): number | undefined {
  if (workload.image.port !== undefined) return workload.image.port;
  const variable = workload.variables.PORT;
  const port = variable && "value" in variable ? Number(variable.value) : NaN;
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

async function workloadPorts(workloads: Workload[], freePorts: boolean): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  const taken: string[] = [];
  const shared: string[] = [];
  const owners = new Map<number, Workload>();
  for (const workload of workloads) {
    const port = declaredPort(workload);
    if (port === undefined || whyNotHere(workload) || workload.type === "Scheduled Job") continue;
    if (freePorts) {
      ports.set(workload.name, await freePort());
      continue;
    }
    const owner = owners.get(port);
    if (owner) {
      shared.push(
        `port ${port} of ${workload.name} (${placeOf(workload)}) is ${owner.name}'s too (${placeOf(owner)})`,
      );
    } else if (!(await isFree(port))) {
      const holder = holderOf(port);
      taken.push(
        `port ${port} of ${workload.name} (${placeOf(workload)}) is taken${holder ? ` by ${holder}` : ""}`,
      );
    }
    owners.set(port, workload);
    ports.set(workload.name, port);
  }
  if (shared.length > 0) {
    throw new UserError(
      `${shared.join("\n✘ ")}.`,
      "Here they share one machine: give one of them another port, or let every port be chosen free: npm start -- --free-ports",
    );
  }
  if (taken.length > 0) {
    throw new UserError(
      `${taken.join("\n✘ ")}.`,
      "End that process, or let every port be chosen free: npm start -- --free-ports",
    );
  }
  return ports;
}

async function configuredPort(name: string, port: number): Promise<number> {
  if (await isFree(port)) return port;
  const holder = holderOf(port);
  throw new UserError(
    `port ${port} of ${name} (copilot-local.config.ts) is taken${holder ? ` by ${holder}` : ""}.`,
    "End that process, or let every port be chosen free: npm start -- --free-ports",
  );
}

function placeOf(workload: Workload): string {
  const path = workload.image.port === undefined ? ["variables", "PORT"] : ["image", "port"];
  const { file, line, column } = workload.source(path);
  return `${file}:${line}:${column}`;
}

function declaredDatabasePort(stacks: AddonStack[]): number {
  for (const stack of stacks) {
    for (const { type, properties } of stack.resources.values()) {
      if (!type.startsWith("AWS::RDS::DB") || properties?.kind !== "map") continue;
      const port = properties.entries.get("Port")?.value;
      if (port?.kind === "scalar" && Number(port.value) > 0) return Number(port.value);
    }
  }
  return 15_432;
}

function whyNotHere(workload: Workload): string | undefined {
  if (workload.type === "Static Site") return "static sites are not served here";
  if (!workload.image.build) return "its image is built elsewhere (image.location)";
  if (workload.count === 0) return "count is 0 in this environment";
  return undefined;
}

function startCommand(root: string, workload: Workload, directory: string, problems: Problem[]): string[] {
  const folder = relative(root, directory) || ".";
  const build = workload.image.build;
  const path =
    build?.args.WORKLOAD === undefined ? ["image", "build"] : ["image", "build", "args", "WORKLOAD"];
  const manifest = readPackage(directory);
  const script = manifest?.scripts?.start;
  if (script) return commandOf(script);
  problems.push({
    rule: "no-start-script",
    ...workload.source(path),
    message: !existsSync(directory)
      ? `${workload.name}: there is no folder ${folder}.`
      : `${workload.name}: ${folder}/package.json ${manifest ? "has no start script" : "does not exist or is not JSON"}.`,
    hint: "The runner starts the `start` script of the package at image.build.args.WORKLOAD, else at the build context.",
  });
  return [];
}

function findHandler(root: string, fn: LocalFunction, problems: Problem[]): Handler | undefined {
  try {
    return handlerOf(root, fn);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push({
      rule: "no-handler",
      ...fn.at,
      message: error.message,
      ...(error.hint && { hint: error.hint }),
    });
    return undefined;
  }
}

/** The package's name: what people call it. The function's own is long and made up. */
function functionLabel(fn: LocalFunction, handler: Handler): string {
  return (readPackage(handler.directory)?.name ?? fn.name).replace(/^@.*\//, "");
}

function pathOf(workload: Workload): string {
  const path = workload.http?.path ?? "/";
  return path.startsWith("/") ? path : `/${path}`;
}

function localMeaning(
  { root, resolved }: PlanContext,
  region: string,
  addons: LocalAddons,
  databasePort: number,
  ports: Map<string, number>,
  localPorts: Map<string, number>,
): Local {
  return {
    root,
    application: resolved.application,
    environment: resolved.environment,
    region,
    get database() {
      const [database] = addons.databases;
      if (!database)
        throw new UserError("copilot-local.config.ts asks for the database, and no addon declares one.");
      return { host: "127.0.0.1", port: databasePort, name: database.name, owner: database.owner };
    },
    url(name) {
      const port = localPorts.get(name) ?? ports.get(name);
      if (port === undefined) {
        throw new UserError(
          `copilot-local.config.ts asks for the address of "${name}", and nothing of that name has a port.`,
          `There are: ${[...ports.keys(), ...localPorts.keys()].join(", ")}.`,
        );
      }
      return `http://127.0.0.1:${port}`;
    },
    mailAddress(user = "mail") {
      const recipient = addons.mailRules[0]?.recipients[0];
      if (!recipient)
        throw new UserError("copilot-local.config.ts asks for a mail address, and no addon receives mail.");
      return recipient.includes("@") ? recipient : `${user}@${recipient.replace(/^\./, "")}`;
    },
  };
}

function valueOf(value: Value, local: Local): string {
  return typeof value === "string" ? value : value(local);
}

function valuesOf(values: Record<string, Value> | undefined, local: Local): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([name, value]) => [name, valueOf(value, local)]),
  );
}

function localProcess(
  root: string,
  process: LocalProcess,
  port: number,
  local: Local,
  base: (directory: string) => Record<string, string>,
  secrets: Secrets,
  resolved: Resolved,
): PlannedProcess {
  const directory = join(root, process.directory);
  const script = readPackage(directory)?.scripts?.start;
  if (!process.command && !script) {
    throw new UserError(
      `copilot-local.config.ts: ${process.name} has no command, and ${process.directory}/package.json has no start script.`,
    );
  }
  const variables: Record<string, string> = { ...base(directory), PORT: String(port) };
  for (const name of process.secrets ?? []) variables[name] = secrets.get(secretNamed(name, resolved));
  Object.assign(variables, valuesOf(process.variables, local));
  return {
    name: process.name,
    kind: "local",
    type: "Local Process",
    directory,
    command: process.command ?? commandOf(script!),
    variables,
    port,
    url: `http://127.0.0.1:${port}`,
    probe: process.health === undefined ? portProbe(port) : httpProbe(port, process.health),
    workload: undefined,
    fn: undefined,
  };
}

/** Where the workloads keep the secret that they know as the variable `name`. */
function secretNamed(name: string, resolved: Resolved): string {
  for (const workload of resolved.workloads) {
    const secret = workload.secrets[name];
    if (secret) {
      return "ssm" in secret
        ? secret.ssm
        : "secretsManager" in secret
          ? secret.secretsManager
          : secret.fromCfn;
    }
  }
  throw new UserError(
    `copilot-local.config.ts names the secret ${name}, and no workload has one of that name.`,
  );
}

function setupCommand(
  root: string,
  setup: SetupCommand,
  local: Local,
  base: (directory: string) => Record<string, string>,
): PlannedSetup {
  const directory = join(root, setup.directory);
  if (!existsSync(directory)) {
    throw new UserError(
      `copilot-local.config.ts: setup "${setup.name}" names ${setup.directory}, which does not exist.`,
    );
  }
  return {
    name: setup.name,
    directory,
    command: setup.command,
    variables: { ...base(directory), ...valuesOf(setup.variables, local) },
    notes: setup.notes,
  };
}
