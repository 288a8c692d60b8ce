import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Problem, Resolved, Workload } from "copilot-manifest";
import type { LocalAddons } from "./local-addons.ts";
import type { Secrets } from "./secrets.ts";

export interface EnvironmentContext {
  root: string;
  resolved: Resolved;
  region: string;
  addons: LocalAddons;
  secrets: Secrets;
  /** The port on which each workload that has one listens here. */
  ports: Map<string, number>;
  /** What an SDK needs to find the local AWS, and where to send mail. */
  awsEndpoint: string;
  mailEndpoint: string;
  queueUrl(name: string): string;
  topicArn(name: string): string;
  /** Manifest variables that the local configuration answers, by name. */
  answers: Map<string, string>;
}

/** What every process gets to find its programs and its AWS; nothing else of the developer's own environment. */
export function baseVariables(
  { region, awsEndpoint, mailEndpoint }: Pick<EnvironmentContext, "region" | "awsEndpoint" | "mailEndpoint">,
  path: string,
  compileCache: string,
): Record<string, string> {
  return {
    PATH: path,
    HOME: process.env.HOME ?? "/",
    LANG: "C.UTF-8",
    TZ: "UTC",
    ...(process.env.TMPDIR && { TMPDIR: process.env.TMPDIR }),
    // Compiled code of the modules, kept between starts: half of a service's start is reading the AWS SDK. Where the
    // runner has such a cache, it is theirs too.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCache,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    // There is no role to ask for; without this a client that lost its keys would wait for the metadata service.
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL: awsEndpoint,
    AWS_ENDPOINT_URL_SESV2: mailEndpoint,
    // The collector of `observability.tracing` is a sidecar that only AWS has.
    OTEL_SDK_DISABLED: "true",
  };
}

/**
 * The variables that a workload's container would have in AWS, to the letter, with local values. What cannot be
 * answered is added to `problems` with the place in the manifest.
 */
export function variablesOf(
  workload: Workload,
  context: EnvironmentContext,
  problems: Problem[],
): Record<string, string> {
  const { secrets, addons, ports } = context;
  const injected = addons.injected.get(workload.name);
  const hosts = localHosts(context);
  const variables: Record<string, string> = { ...envFile(workload, context.root, problems) };

  Object.assign(variables, copilotVariables(workload, context));
  Object.assign(variables, injected?.variables);
  for (const [name, arn] of Object.entries(injected?.secrets ?? {})) variables[name] = secrets.get(arn);

  for (const [name, variable] of Object.entries(workload.variables)) {
    const answer = context.answers.get(name);
    if (answer !== undefined) {
      variables[name] = answer;
    } else if ("fromCfn" in variable) {
      const value = addons.exports.get(variable.fromCfn);
      if (value === undefined) {
        problems.push({
          rule: "unknown-export",
          ...workload.source(["variables", name]),
          message: `${workload.name}: no addon exports "${variable.fromCfn}", which variable ${name} takes its value from.`,
          hint: `Known exports: ${[...addons.exports.keys()].join(", ") || "none"}.`,
        });
      } else variables[name] = value;
    } else variables[name] = toLocalhost(variable.value, hosts, /HOST|ADDR|ENDPOINT/.test(name));
  }
  for (const [name, secret] of Object.entries(workload.secrets)) {
    const key =
      "ssm" in secret ? secret.ssm : "secretsManager" in secret ? secret.secretsManager : secret.fromCfn;
    variables[name] = secrets.get(key);
  }
  // Only different from the manifest's own where every port is chosen free.
  const port = ports.get(workload.name);
  if (port !== undefined && workload.type !== "Scheduled Job") variables.PORT = String(port);
  return variables;
}

function copilotVariables(workload: Workload, context: EnvironmentContext): Record<string, string> {
  const { application, environment } = context.resolved;
  const variables: Record<string, string> = {
    COPILOT_APPLICATION_NAME: application,
    COPILOT_ENVIRONMENT_NAME: environment,
    COPILOT_SERVICE_NAME: workload.name,
    COPILOT_SERVICE_DISCOVERY_ENDPOINT: `${environment}.${application}.local`,
  };
  const port = context.ports.get(workload.name);
  if (workload.http && port !== undefined) variables.COPILOT_LB_DNS = `127.0.0.1:${port}`;
  if (workload.publishes.length > 0) {
    variables.COPILOT_SNS_TOPIC_ARNS = JSON.stringify(
      Object.fromEntries(
        workload.publishes.map((topic) => [topic.key, context.topicArn(topic.resourceName)]),
      ),
    );
  }
  if (workload.queue) variables.COPILOT_QUEUE_URI = context.queueUrl(workload.queue.resourceName);
  if (workload.topicQueues.length > 0) {
    variables.COPILOT_TOPIC_QUEUE_URIS = JSON.stringify(
      Object.fromEntries(
        workload.topicQueues.map((queue) => [
          queue.env.variable === "COPILOT_TOPIC_QUEUE_URIS" ? queue.env.key : queue.logicalId,
          context.queueUrl(queue.resourceName),
        ]),
      ),
    );
  }
  const volumes = (workload.manifest.storage as { volumes?: Record<string, { path?: string }> } | undefined)
    ?.volumes;
  if (volumes) {
    variables.COPILOT_MOUNT_POINTS = JSON.stringify(
      Object.fromEntries(Object.entries(volumes).map(([name, volume]) => [name, volume?.path ?? ""])),
    );
  }
  return variables;
}

function envFile(workload: Workload, root: string, problems: Problem[]): Record<string, string> {
  if (!workload.envFile) return {};
  try {
    return parseEnv(readFileSync(join(root, workload.envFile), "utf8")) as Record<string, string>;
  } catch (error) {
    problems.push({
      rule: "env-file",
      ...workload.source(["env_file"]),
      message: `${workload.name}: env_file ${workload.envFile} cannot be read: ${(error as Error).message}`,
    });
    return {};
  }
}

/** Host names that mean a workload of this workspace, with the address it has here. */
function localHosts({
  resolved,
  ports,
}: Pick<EnvironmentContext, "resolved" | "ports">): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const workload of resolved.workloads) {
    const port = ports.get(workload.name);
    if (port === undefined) continue;
    const names = [workload.connect?.alias, workload.discoveryName, ...(workload.http?.alias ?? [])];
    if (workload.connect) names.push(workload.name);
    for (const name of names) if (name) hosts.set(name.toLowerCase(), `127.0.0.1:${port}`);
  }
  return hosts;
}

/**
 * Turns a host of `hosts` into its local address: in URLs (`http://api:8080/x`, TLS dropped with it), and where the
 * whole value is `host:port`, or a host that cannot be anything else (`bareHost`, or a name with dots): a plain
 * `backend-api` may as well be the name of a service that is only meant to be shown.
 */
export function toLocalhost(value: string, hosts: Map<string, string>, bareHost = false): string {
  const whole = /^([a-z0-9.-]+)(:\d+)?$/i.exec(value);
  if (whole) {
    const address = hosts.get(whole[1]!.toLowerCase());
    if (!address || !(bareHost || whole[2] || value.includes("."))) return value;
    return whole[2] ? address : address.split(":")[0]!;
  }
  return value.replaceAll(/\b(https?):\/\/([a-z0-9.-]+)(:\d+)?/gi, (url, _scheme: string, host: string) => {
    const address = hosts.get(host.toLowerCase());
    return address ? `http://${address}` : url;
  });
}
