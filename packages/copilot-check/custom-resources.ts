import { createHash, randomUUID } from "node:crypto";
import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CloudFormation, CustomRequest, Resource } from "./cloud-formation.ts";
import { codeOf, unpack } from "./lambdas.ts";
import { LinkError } from "./link-error.ts";
import type { Values } from "./template.ts";

export interface ScriptRun {
  stack: string;
  resource: string;
  kind: CustomRequest["kind"];
  runtime: string;
  ms: number;
  status: string;
}

export interface ScriptOptions {
  /** Plain HTTP address of the stand-in: where the script's AWS calls go. */
  endpoint: () => string;
  /** The AWS clients of Lambda's runtime. */
  modules: string;
  /** A folder for unpacked code. */
  scratch: string;
  /** Every run, for the report. */
  runs: ScriptRun[];
}

const host = fileURLToPath(new URL("lambda-host.ts", import.meta.url));

/** Runs a custom resource's own script, as the CLI uploaded it, on this Node, with the stand-in for AWS behind it. */
export function runScripts({ endpoint, modules, scratch, runs }: ScriptOptions) {
  return async (
    { kind, stack, resource, old }: CustomRequest,
    cloud: CloudFormation,
  ): Promise<{ data: Values; physicalId?: string }> => {
    const lambda = functionOf(cloud, String(resource.properties.ServiceToken));
    if (!lambda) throw new LinkError(`There is no function ${String(resource.properties.ServiceToken)}.`);
    const code = codeOf(cloud, lambda);
    if (!code) throw new LinkError(`There is no code for the function ${lambda.logicalId}.`);
    const folder = join(scratch, createHash("sha256").update(code.archive).digest("hex"));
    if (!existsSync(folder)) unpack(code.archive, folder);
    const event = {
      RequestType: kind,
      ServiceToken: resource.properties.ServiceToken,
      ResponseURL: "https://response.invalid/",
      StackId: stack.id,
      RequestId: randomUUID(),
      LogicalResourceId: resource.logicalId,
      ResourceType: resource.type,
      ResourceProperties: asTexts(resource.properties),
      ...(kind === "Create" ? {} : { PhysicalResourceId: resource.ref }),
      ...(old ? { OldResourceProperties: asTexts(old.properties) } : {}),
    };
    const start = performance.now();
    const answer = await call(folder, code.handler, event, {
      ...code.variables,
      PATH: process.env.PATH ?? "",
      NODE_PATH: modules,
      AWS_ENDPOINT_URL: endpoint(),
      AWS_REGION: cloud.place.region,
      AWS_ACCESS_KEY_ID: "offline",
      AWS_SECRET_ACCESS_KEY: "offline",
      AWS_EC2_METADATA_DISABLED: "true",
    });
    const ms = Math.round(performance.now() - start);
    const status = typeof answer === "string" ? "silent" : answer.Status;
    runs.push({
      stack: stack.name,
      resource: resource.logicalId,
      kind,
      runtime: String(lambda.properties.Runtime),
      ms,
      status,
    });
    if (typeof answer === "string")
      throw new LinkError(`The script of ${resource.logicalId} answered nothing: ${answer}`);
    if (answer.Status !== "SUCCESS")
      throw new LinkError(
        `The script of ${resource.logicalId} failed: ${answer.Reason ?? "without a reason"}`,
      );
    const { Data: data = {}, PhysicalResourceId: physicalId } = answer;
    return { data, ...(physicalId === undefined ? {} : { physicalId }) };
  };
}

interface ScriptAnswer {
  Status: string;
  Reason?: string;
  Data?: Values;
  PhysicalResourceId?: string;
}

function functionOf(cloud: CloudFormation, arn: string): Resource | undefined {
  const name = arn.slice(arn.lastIndexOf(":") + 1);
  for (const [, resource] of cloud.resources())
    if (resource.type === "AWS::Lambda::Function" && resource.name === name) return resource;
  return undefined;
}

/** The script's answer to CloudFormation; what it said instead when there was none. */
function call(
  folder: string,
  handler: string,
  event: object,
  env: Record<string, string>,
): Promise<ScriptAnswer | string> {
  return new Promise((resolve) => {
    const child = fork(host, [folder, handler, JSON.stringify(event)], {
      env,
      silent: true,
      timeout: 60_000,
    });
    let answer: ScriptAnswer | undefined;
    let said = "";
    child.stdout?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.on("message", (message) => {
      if (typeof message === "string") said += message;
      else answer = JSON.parse((message as { answer: string }).answer) as ScriptAnswer;
    });
    child.once("exit", () => resolve(answer ?? said.slice(0, 500)));
  });
}

/** CloudFormation hands a script texts only. */
function asTexts(value: unknown): unknown {
  if (value === null || value === undefined) return value;
  if (Array.isArray(value)) return value.map(asTexts);
  if (typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asTexts(item)]));
  return typeof value === "string" ? value : JSON.stringify(value);
}
