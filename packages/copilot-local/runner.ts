import { existsSync, readdirSync, rmSync, watch, type FSWatcher } from "node:fs";
import { join, relative, resolve as resolvePath } from "node:path";
import {
  formatProblems,
  readAddons,
  readWorkspace,
  resolve,
  type AddonStack,
  type Problem,
  type Resolved,
} from "copilot-manifest";
import { startChild, type Child } from "./child.ts";
import { startCloud, type Cloud } from "./cloud.ts";
import { loadConfig, type Config } from "./config.ts";
import { serveDashboard, type Dashboard } from "./dashboard.ts";
import { ensureDatabase } from "./database.ts";
import { openDeliveries, type Deliveries } from "./deliveries.ts";
import { endLeftBehind, startGuard, type Guard } from "./guard.ts";
import { scheduleJob, type Job } from "./jobs.ts";
import { lock, type Lock } from "./lock.ts";
import { openLogs, type LogLine, type Logs } from "./logs.ts";
import { openMailbox, type Mailbox } from "./mail.ts";
import { readNotes } from "./notes.ts";
import { watchParked, type ParkedCounts } from "./parked.ts";
import { sourceFolders } from "./package-folder.ts";
import { makePlan, PlanProblems, type Plan, type PlannedProcess } from "./plan.ts";
import { freePort, holderOf, isFree } from "./ports.ts";
import { removePostgres, startPostgres, type Postgres } from "./postgres.ts";
import { openSecrets } from "./secrets.ts";
import type { RunnerEvent, State, WorkloadState } from "./state.ts";
import { supervise, type Service } from "./supervisor.ts";
import { UserError } from "./user-error.ts";
import { watchFolders, type Watcher } from "./watch.ts";

export interface StartOptions {
  /** The folder that holds `copilot/`. Default: the current one, or the nearest above it. */
  root?: string;
  /** Default `staging`. */
  environment?: string;
  /** The dashboard's port; 0 is any free one. Default 4000, with `freePorts` 0. */
  port?: number;
  /** Everything that is kept. Default `<root>/.local`. */
  data?: string;
  /** Empties the data folder first. */
  fresh?: boolean;
  /** Every port is chosen free, so that two workspaces run beside each other. */
  freePorts?: boolean;
  /** Restarts a workload when its sources change. */
  watch?: boolean;
  /** Instead of `copilot-local.config.ts`. */
  config?: Config;
  onEvent?: (event: RunnerEvent) => void;
}

export interface Running {
  /** The dashboard. */
  url: string;
  state(): State;
  /** Resolves when everything is ready, with the time that each took; rejects with a UserError when one cannot be. */
  ready(timeoutMs?: number): Promise<{ name: string; ms: number }[]>;
  restart(name: string): Promise<void>;
  /**
   * Crashes SNS, SQS and S3 as kill -9 would and starts them again on the same port after `downMs` (0). Messages that were
   * accepted are kept; which ones they have had is forgotten, so a repetition is delivered again. Resolves when they
   * answer.
   */
  crashBroker(downMs?: number): Promise<void>;
  /** Runs a job now and waits for its end. */
  runJob(name: string): Promise<{ ok: boolean | null; result: string | null }>;
  logs(name: string, options?: { count?: number; after?: number; search?: string }): LogLine[];
  /** Stops everything; nothing of it is left, and the data is as a later start needs it. */
  stop(): Promise<void>;
}

/** A runner that can be stopped while it is still starting. */
export interface Runner {
  /** Resolves when everything has been started; rejects with a UserError, having stopped what it had started. */
  start(): Promise<Running>;
  stop(): Promise<void>;
}

/** Counts what SQL cannot: see `Attention`. */
const deadLetters = "dead letters";
const graceMs = 8_000;

export function createRunner(options: StartOptions): Runner {
  const startedAt = Date.now();
  const begun = performance.now();
  const root = findRoot(options.root);
  const environment = options.environment ?? "staging";
  const data = resolvePath(root, options.data ?? ".local");
  const emit = options.onEvent ?? (() => {});

  let stopping: Promise<void> | undefined;
  /** Steps that have begun; stopping waits for them, so that nothing starts behind its back. */
  let inFlight: Promise<unknown> = Promise.resolve();
  let held: Lock | undefined;
  let guard: Guard | undefined;
  let logs: Logs | undefined;
  let dashboard: Dashboard | undefined;
  let plan: Plan | undefined;
  let postgres: Postgres | undefined;
  let cloud: Cloud | undefined;
  let mailbox: Mailbox | undefined;
  let deliveries: Deliveries | undefined;
  let parked: ParkedCounts | undefined;
  let sources: Watcher | undefined;
  let manifests: FSWatcher[] = [];
  let setupChild: Child | undefined;
  let config: Config = {};
  let readyAfterMs: number | null = null;
  let waitingFor: string | null = "the manifests";
  let databaseStatus = "stopped";
  const services = new Map<string, Service>();
  const jobs = new Map<string, Job>();
  const setup: State["setup"] = [];
  const notes: State["notes"] = [];
  const notices: string[] = [];

  const notice = (text: string) => {
    notices.push(text);
    emit({ kind: "notice", text });
  };
  const log = (name: string, text: string) => logs?.write(name, text);
  const ensureRunning = () => {
    if (stopping) throw new UserError("stopped before everything had started.");
  };
  const step = async <T>(text: string, run: () => Promise<T>): Promise<T> => {
    ensureRunning();
    const from = performance.now();
    const work = run();
    inFlight = Promise.allSettled([inFlight, work]);
    const result = await work;
    ensureRunning();
    emit({ kind: "step", text, ms: Math.round(performance.now() - from) });
    return result;
  };

  async function begin(): Promise<Running> {
    const { resolved, stacks } = readManifests(root, environment);
    config = options.config ?? (await loadConfig(root));
    held = lock(data);
    if (held.leftBehind.length > 0) {
      notice(
        `ends ${held.leftBehind.length} processes that a runner which did not stop properly left behind`,
      );
      await endLeftBehind(held.leftBehind);
    }
    if (options.fresh) empty(data);
    guard = startGuard(held);
    logs = openLogs(join(data, "logs"));
    logs.listen((name, { text }) => emit({ kind: "line", name, text }));
    mailbox = openMailbox(join(data, "mail"));

    const port = await dashboardPort(options.port ?? (options.freePorts ? 0 : 4000));
    const url = `http://127.0.0.1:${port}`;
    plan = await makePlan({
      root,
      data,
      resolved,
      stacks,
      config,
      secrets: openSecrets(join(data, "secrets.json")),
      freePorts: options.freePorts ?? false,
      mailEndpoint: url,
    });
    for (const { name } of plan.setup) setup.push({ name, status: "waiting", ms: null });
    for (const { name, reason, at } of plan.notRunHere)
      notices.push(`${name} is not run here: ${reason} (${at.file})`);
    for (const { type, logicalId, at } of plan.addons.notRunHere) {
      notices.push(`${logicalId} (${type}) has no meaning here (${at.file}:${at.line})`);
    }
    prepare(plan);
    dashboard = await serveDashboard({
      port,
      state,
      logs: (name, query) => (known(name) ? logs!.tail(name, query) : undefined),
      restart: async (name) => services.get(name)?.restart(),
      has: { service: (name) => services.has(name), job: (name) => jobs.has(name) },
      runJob: (name) => jobs.get(name)!.run(),
      crashBroker,
      mailbox,
      deliver: async (mail) => {
        await mailbox!.put(mail);
        await deliveries?.receive(mail);
      },
    });
    held.update({ url });
    emit({ kind: "dashboard", url });
    ensureRunning();

    await startInfrastructure(plan, resolved);
    for (const command of plan.setup) await runSetup(command);
    ensureRunning();
    const [database] = plan.addons.databases;
    const numbers = (config.attention ?? [])
      .map(({ count }) => count)
      .filter((count) => count !== deadLetters);
    if (postgres && database && (config.parked || numbers.length > 0))
      parked = watchParked(postgres, database.name, { parked: config.parked, numbers });
    waitingFor = "the workloads";
    for (const service of services.values()) service.start();
    for (const job of jobs.values()) job.start();
    deliveries!.start();
    if (options.watch) watchSources(plan);
    return running(url);
  }

  function known(name: string): boolean {
    return (
      plan?.processes.some((process) => process.name === name) ||
      setup.some((command) => command.name === name) ||
      name === "postgres" ||
      name === "*"
    );
  }

  /** Makes the supervisors, which start nothing yet: the dashboard shows what will come. */
  function prepare({ processes }: Plan) {
    for (const process of processes) {
      const { name, command, directory, variables } = process;
      const onLine = (line: string) => log(name, line);
      const onChange = changeReporter(name);
      const shared = { name, command, directory, variables, guard: guard!, onLine, onChange };
      if (process.kind === "job") {
        const { schedule, timeoutSeconds, retries = 0 } = process.workload!;
        jobs.set(name, scheduleJob({ ...shared, schedule: schedule!, timeoutSeconds, retries }));
      } else {
        services.set(
          name,
          supervise({ ...shared, probe: process.probe, onStopping: () => cloud?.wake(name) }),
        );
      }
    }
  }

  /** Tells about a change of status once, and notices when everything is ready. */
  function changeReporter(name: string): () => void {
    let last = "";
    return () => {
      const now = services.get(name)?.state();
      if (!now || now.status === last) return;
      last = now.status;
      emit({
        kind: "workload",
        name,
        status: now.status,
        detail: now.status === "backing-off" ? (now.lastExit?.reason ?? null) : now.waitingFor,
        ms: now.status === "ready" ? now.readyAfterMs : null,
      });
      if (
        readyAfterMs === null &&
        [...services.values()].every((service) => service.state().status === "ready")
      ) {
        readyAfterMs = Math.round(performance.now() - begun);
        waitingFor = null;
      }
    };
  }

  async function startInfrastructure({ addons, awsPort, databasePort }: Plan, resolved: Resolved) {
    waitingFor = addons.databases.length > 0 ? "PostgreSQL and the queues" : "the queues";
    const startServer = async () => {
      databaseStatus = "starting";
      postgres = await startPostgres({
        directory: join(data, "postgres"),
        port: databasePort,
        log: (line) => log("postgres", line),
        onExit: (reason) => {
          databaseStatus = reason;
          guard!.remove(postgres!.pid);
          if (stopping) return;
          notice(`${reason} and starts again. Its log: ${shown(join(data, "logs", "postgres.log"))}`);
          inFlight = Promise.allSettled([inFlight, restartServer()]);
        },
      });
      guard!.add(postgres.pid, "INT");
      databaseStatus = "ready";
    };
    const restartServer = async (attempts = 5): Promise<void> => {
      if (stopping) return;
      try {
        await startServer();
      } catch (error) {
        if (attempts === 1) return notice((error as Error).message);
        // Right after a kill -9 the old server's processes may still be there for a moment.
        await new Promise((done) => setTimeout(done, 1_000));
        return restartServer(attempts - 1);
      }
    };
    const startDatabase = async () => {
      if (addons.databases.length === 0) return;
      await step("PostgreSQL", async () => {
        await startServer();
        for (const database of addons.databases) await ensureDatabase(postgres!, database);
      });
    };
    const startQueues = () =>
      step("SNS, SQS and S3", async () => {
        cloud = await startCloud({
          region: config.region ?? "us-east-1",
          port: awsPort,
          directory: join(data, "aws"),
          topology: resolved.topology,
          buckets: addons.buckets,
          plainQueues: addons.queues,
        });
        deliveries = openDeliveries({
          directory: join(data, "invocations"),
          rules: addons.mailRules,
          functions: plan!.processes.flatMap(({ name, fn, port }) =>
            fn && port !== undefined
              ? [{ name, fn, port, ready: () => services.get(name)?.state().status === "ready" }]
              : [],
          ),
          cloud,
          log,
        });
      });
    // Both, even when one fails: what has started must be known, to be stopped.
    const results = await Promise.allSettled([startDatabase(), startQueues()]);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  async function runSetup({ name, command, directory, variables, notes: heading }: Plan["setup"][number]) {
    const entry = setup.find((candidate) => candidate.name === name)!;
    await step(name, async () => {
      waitingFor = `setup: ${name}`;
      entry.status = "running";
      const from = performance.now();
      const output: string[] = [];
      setupChild = startChild({
        command,
        directory,
        variables,
        guard: guard!,
        onLine(line, stream) {
          log(name, line);
          if (stream === "stdout") output.push(line);
        },
      });
      const { ok, reason } = await setupChild.exited;
      setupChild = undefined;
      entry.ms = Math.round(performance.now() - from);
      ensureRunning();
      if (!ok) {
        entry.status = "failed";
        const tail = logs!.tail(name, { count: 15 }).map(({ text }) => `    ${text}`);
        throw new UserError(
          `setup "${name}" failed: ${reason} (${command.join(" ")} in ${relative(root, directory)}).\n${tail.join("\n")}`,
          "Mend that and start again; with `--fresh` the local data is made anew.",
        );
      }
      entry.status = "done";
      const found = heading === undefined ? undefined : readNotes(heading, output);
      if (found) notes.push(found);
    });
  }

  function watchSources({ processes }: Plan) {
    const users = new Map<string, Set<string>>();
    for (const { name, directory, kind } of processes) {
      if (kind === "job") continue;
      for (const folder of sourceFolders(root, directory)) {
        users.set(folder, (users.get(folder) ?? new Set()).add(name));
      }
    }
    sources = watchFolders(users.keys(), (folder) => {
      const names = [...(users.get(folder) ?? [])];
      emit({ kind: "notice", text: `${relative(root, folder)} changed: restarts ${names.join(", ")}` });
      for (const name of names) void services.get(name)?.restart();
    });
    let told = false;
    const tell = () => {
      if (told) return;
      told = true;
      notice("the manifests changed; start again for the change to have effect");
    };
    const folders = [join(root, "copilot"), ...subfolders(join(root, "copilot"))];
    manifests = folders.map((folder) => watch(folder, tell));
    for (const watcher of manifests) watcher.on("error", () => {});
  }

  function state(): State {
    return {
      application: plan ? applicationOf(plan) : "",
      environment,
      status: stopping ? "stopping" : readyAfterMs === null ? "starting" : "ready",
      startedAt,
      readyAfterMs,
      waitingFor,
      database:
        plan && plan.addons.databases.length > 0
          ? {
              host: "127.0.0.1",
              port: plan.databasePort,
              databases: plan.addons.databases.map(({ name, owner }) => ({ name, owner })),
              status: databaseStatus,
            }
          : null,
      aws: { endpoint: `http://127.0.0.1:${plan?.awsPort ?? 0}`, region: config.region ?? "us-east-1" },
      workloads: plan?.processes.map(workloadState) ?? [],
      queues:
        cloud?.queues().map((queue) => ({ ...queue, parked: parked?.of(queue.workload) ?? null })) ?? [],
      attention: waiting(),
      invocations: deliveries?.pending() ?? 0,
      jobs: [...jobs].map(([name, job]) => ({ name, ...job.state() })),
      setup: setup.map((entry) => ({ ...entry })),
      notes,
      mail: mailbox?.list().slice(0, 200) ?? [],
      notices,
    };
  }

  function waiting(): State["attention"] {
    const dead = () =>
      (cloud?.queues() ?? []).reduce((sum, queue) => sum + (queue.deadLetter?.messages ?? 0), 0);
    return (config.attention ?? [])
      .map(({ what, count, command }) => ({
        what,
        count: count === deadLetters ? dead() : (parked?.number(count) ?? 0),
        command,
      }))
      .filter(({ count }) => count > 0);
  }

  function workloadState(process: PlannedProcess): WorkloadState {
    const { name, kind, type, port, url, workload, fn } = process;
    const shared = {
      name,
      title: config.titles?.[name] ?? null,
      kind,
      type,
      port: port ?? null,
      url: url ?? null,
      file: workload?.file ?? fn?.at.file ?? null,
    };
    const service = services.get(name);
    if (service) return { ...shared, ...service.state() };
    const job = jobs.get(name)!.state();
    const last = job.runs.find((run) => run.endedAt !== null);
    return {
      ...shared,
      status: job.running ? "running" : "scheduled",
      waitingFor: null,
      pid: null,
      crashes: job.runs.filter((run) => run.ok === false).length,
      starts: job.runs.length,
      readyAfterMs: null,
      lastExit: last ? { reason: last.result ?? "", at: last.endedAt! } : null,
    };
  }

  function running(url: string): Running {
    return {
      url,
      state,
      async ready(timeoutMs = 120_000) {
        const report = await Promise.allSettled(
          [...services].map(async ([name, service]) => {
            try {
              await service.firstReady(timeoutMs);
            } catch (error) {
              throw new UserError(
                `${name} does not become ready: ${(error as Error).message}${tailOf(name)}`,
              );
            }
            return { name, ms: service.state().readyAfterMs ?? 0 };
          }),
        );
        const failures = report.flatMap((result) =>
          result.status === "rejected" ? [result.reason as Error] : [],
        );
        if (failures.length > 0) {
          throw new UserError(
            failures.map(({ message }) => message).join("\n✘ "),
            `The whole logs are in ${shown(join(data, "logs"))}.`,
          );
        }
        return report.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      },
      async restart(name) {
        const service = services.get(name);
        if (!service) throw new UserError(`there is no service "${name}" here.`);
        await service.restart();
      },
      crashBroker,
      async runJob(name) {
        const job = jobs.get(name);
        if (!job) throw new UserError(`there is no job "${name}" here.`);
        const { ok, result } = await job.run();
        return { ok, result };
      },
      logs: (name, query) => logs?.tail(name, query) ?? [],
      stop,
    };
  }

  async function crashBroker(downMs = 0) {
    emit({ kind: "notice", text: `SNS and SQS crash and are away for ${downMs} ms` });
    await cloud?.crash(downMs);
  }

  function tailOf(name: string): string {
    const lines = logs!.tail(name, { count: 10 });
    return lines.map(({ text }) => `\n    ${text}`).join("");
  }

  function stop(): Promise<void> {
    stopping ??= end();
    return stopping;
  }

  async function end() {
    waitingFor = "the workloads to stop";
    sources?.close();
    for (const watcher of manifests) watcher.close();
    deliveries?.close();
    await Promise.allSettled([
      setupChild?.stop(graceMs),
      ...[...services.values()].map((service) => service.stop(graceMs)),
      ...[...jobs.values()].map((job) => job.stop(graceMs)),
    ]);
    await inFlight;
    waitingFor = "PostgreSQL and the queues to stop";
    await parked?.close();
    await Promise.allSettled([
      cloud?.stop(),
      (async () => {
        await postgres?.stop();
        if (postgres) guard!.remove(postgres.pid);
      })(),
    ]);
    await dashboard?.close();
    await logs?.close();
    guard?.close();
    held?.release();
  }

  return {
    async start() {
      try {
        return await begin();
      } catch (error) {
        await stop();
        throw error instanceof PlanProblems ? new ManifestMistakes(error.problems) : error;
      }
    },
    stop,
  };
}

/** The manifests cannot be run as they are; `message` is the list, each with file and line. */
export class ManifestMistakes extends UserError {
  override name = "ManifestMistakes";
  readonly problems: Problem[];
  constructor(problems: Problem[]) {
    super(
      `the manifests have ${problems.length === 1 ? "a mistake" : `${problems.length} mistakes`}, nothing was started:\n${formatProblems(problems)}`,
    );
    this.problems = problems;
  }
}

function applicationOf(plan: Plan): string {
  return plan.processes.find((process) => process.workload)?.variables.COPILOT_APPLICATION_NAME ?? "";
}

function findRoot(given: string | undefined): string {
  if (given !== undefined) {
    const root = resolvePath(given);
    if (existsSync(join(root, "copilot"))) return root;
    throw new UserError(`${root} holds no copilot folder.`);
  }
  for (let directory = process.cwd(); ; directory = join(directory, "..")) {
    if (existsSync(join(directory, "copilot"))) return directory;
    if (directory === "/") break;
  }
  throw new UserError(
    `neither ${process.cwd()} nor a folder above it holds a copilot folder.`,
    "Start this in a Copilot workspace.",
  );
}

/** Throws ManifestMistakes with all that is wrong. Files that hold no YAML come first: the rest would only echo them. */
function readManifests(root: string, environment: string): { resolved: Resolved; stacks: AddonStack[] } {
  const workspace = readWorkspace(root);
  if (workspace.problems.length > 0) throw new ManifestMistakes(workspace.problems);
  const resolved = resolve(workspace, environment, {});
  const stacks = readAddons(workspace, environment);
  const problems = [...resolved.problems, ...stacks.flatMap((stack) => stack.problems)];
  if (problems.length > 0) throw new ManifestMistakes(problems);
  return { resolved, stacks };
}

async function dashboardPort(port: number): Promise<number> {
  if (port === 0) return freePort();
  if (await isFree(port)) return port;
  const holder = holderOf(port);
  throw new UserError(
    `port ${port} of the dashboard is taken${holder ? ` by ${holder}` : ""}.`,
    "End that process, or choose another port: npm start -- --port 4001",
  );
}

/** Everything in the data folder but the lock, which says that it is ours. */
function empty(data: string) {
  removePostgres(join(data, "postgres"));
  for (const name of readdirSync(data)) {
    if (name !== "lock.json") rmSync(join(data, name), { recursive: true, force: true });
  }
}

/** From where the user stands, unless that is somewhere else entirely. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near || ".";
}

function subfolders(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => [join(directory, entry.name), ...subfolders(join(directory, entry.name))]);
}
