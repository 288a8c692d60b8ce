import { createHash } from "node:crypto";
import { fork } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unzipSync } from "fflate";
import type { CloudFormation, Resource, Stack } from "./cloud-formation.ts";
import type { Path } from "./template.ts";

/** The oldest runtime that Lambda will still take for long. */
const oldestNode = 24;

export interface LambdaReport {
  /** `nodejs24.x` → number of functions. */
  runtimes: Map<string, number>;
  /** Distinct uploaded archives that were loaded. */
  loaded: number;
  problems: LambdaProblem[];
}

interface LambdaProblem {
  /** Name of the function's stack, and where in its template. */
  stack: string;
  path: Path;
  /** `<logical id> of <stack>` */
  what: string;
  message: string;
  hint: string;
}

interface LambdaCode {
  /** File and exported name, as in `Handler`. */
  handler: string;
  archive: Buffer;
  /** Its environment. */
  variables: Record<string, string>;
}

/** What the child reports of one archive. */
interface LoadedHandler {
  async: boolean;
  parameters: number;
}

/**
 * Every function of every stack: none on a runtime that Lambda gives up, and every handler that was uploaded is loaded by
 * the Node of this process, which must find it an async function and all of its modules in Lambda's own runtime.
 * @param modules folder with the AWS clients of Lambda's runtime
 */
export async function checkLambdas(
  cloud: CloudFormation,
  modules: string,
  scratch: string,
): Promise<LambdaReport> {
  const report: LambdaReport = { runtimes: new Map(), loaded: 0, problems: [] };
  const codes = new Map<
    string,
    { owner: Pick<LambdaProblem, "stack" | "path" | "what">; code: LambdaCode }
  >();
  for (const [stack, resource] of cloud.resources()) {
    if (resource.type !== "AWS::Lambda::Function") continue;
    const runtime = String(resource.properties.Runtime);
    report.runtimes.set(runtime, (report.runtimes.get(runtime) ?? 0) + 1);
    const problem = runtimeProblem(stack, resource, runtime);
    if (problem) report.problems.push(problem);
    const code = codeOf(cloud, resource);
    if (!code) continue;
    const key = createHash("sha256").update(code.archive).update(code.handler).digest("hex");
    // The same archive is in every environment: it is loaded once.
    if (!codes.has(key)) codes.set(key, { owner: placeOf(stack, resource, "Code"), code });
  }
  for (const [key, { owner, code }] of codes) {
    report.loaded += 1;
    const folder = join(scratch, key);
    const foreign = unpack(code.archive, folder).filter((name) => !isInRuntime(name));
    if (foreign.length > 0)
      report.problems.push({
        ...owner,
        message: `needs ${foreign.join(", ")}, which Lambda's runtime does not have.`,
        hint: "Bundle it into the code.",
      });
    const loaded = await load(folder, code, modules);
    if (typeof loaded === "string")
      report.problems.push({
        ...owner,
        message: `cannot be loaded by Node ${process.versions.node}: ${loaded}`,
        hint: "The function would fail on its first call.",
      });
    else if (!loaded.async || loaded.parameters > 2)
      report.problems.push({
        ...owner,
        message: "has a handler with a callback, which Lambda's nodejs24.x refuses.",
        hint: "Make it an async function of (event, context).",
      });
  }
  return report;
}

function runtimeProblem(stack: Stack, resource: Resource, runtime: string): LambdaProblem | undefined {
  const version = Number(/^nodejs(\d+)\.x$/.exec(runtime)?.[1] ?? Number.NaN);
  if (Number.isNaN(version) || version >= oldestNode) return undefined;
  const hint = `Lift it in overrides/cfn.patches.yml: op replace, path /Resources/${resource.logicalId}/Properties/Runtime, value nodejs${oldestNode}.x.`;
  return {
    ...placeOf(stack, resource, "Runtime"),
    message: `runs on ${runtime}, which Lambda gives up.`,
    hint,
  };
}

function placeOf({ name }: Stack, { logicalId }: Resource, property: string) {
  const path = ["Resources", logicalId, "Properties", property];
  return { stack: name, path, what: `${logicalId} of ${name}` };
}

/** The uploaded archive of a function, if its code is one. */
export function codeOf(cloud: CloudFormation, { properties }: Resource): LambdaCode | undefined {
  const { S3Bucket, S3Key, ZipFile } = (properties.Code ?? {}) as Record<string, string | undefined>;
  const handler = String(properties.Handler);
  const environment = (properties.Environment ?? {}) as { Variables?: Record<string, unknown> };
  const variables = Object.fromEntries(
    Object.entries(environment.Variables ?? {}).map(([name, value]) => [name, String(value)]),
  );
  const archive = S3Key === undefined ? undefined : cloud.objects.get(`${S3Bucket}/${S3Key}`);
  if (archive) return { handler, archive, variables };
  return ZipFile === undefined ? undefined : { handler, archive: Buffer.from(ZipFile), variables };
}

/** Writes an archive's files (or the one inline file) into a folder; returns the modules that they ask for. */
export function unpack(archive: Buffer, folder: string): string[] {
  rmSync(folder, { recursive: true, force: true });
  const isZip = archive.subarray(0, 2).toString() === "PK";
  const files = isZip ? Object.entries(unzipSync(archive)) : [["index.js", archive] as const];
  const modules = new Set<string>();
  mkdirSync(folder, { recursive: true });
  // As in Lambda, where no package.json above says otherwise.
  writeFileSync(join(folder, "package.json"), '{"type":"commonjs"}');
  for (const [name, content] of files) {
    const path = join(folder, name);
    if (name.endsWith("/")) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (/\.[cm]?js$/.test(name))
      for (const module of modulesIn(Buffer.from(content).toString())) modules.add(module);
  }
  return [...modules];
}

/** The packages that a script requires or imports by a literal name; its own files left out. */
function modulesIn(code: string): string[] {
  const found = code.matchAll(/(?:\brequire\(|\bimport\(|^\s*import\b[^"'`;()]*)["']([^"'\n]+)["']/gm);
  return [...found].map(([, name = ""]) => name).filter((name) => /^(?:node:|@[\w-]+\/)?[\w-]/.test(name));
}

function isInRuntime(name: string): boolean {
  const plain = name.replace(/^node:/, "");
  return builtinModules.includes(plain) || /^@(?:aws-sdk|smithy)\//.test(name) || name === "aws-lambda";
}

const host = join(dirname(fileURLToPath(import.meta.url)), "lambda-host.ts");

function load(
  folder: string,
  { handler, variables }: LambdaCode,
  modules: string,
): Promise<LoadedHandler | string> {
  return new Promise((resolve) => {
    const child = fork(host, [folder, handler], {
      env: { ...variables, PATH: process.env.PATH, NODE_PATH: modules, AWS_REGION: "us-east-1" },
      silent: true,
    });
    let answer: LoadedHandler | string = "it ended without a word";
    child.stderr?.on("data", (chunk: Buffer) => (answer = chunk.toString().slice(0, 300)));
    child.on("message", (message) => (answer = message as LoadedHandler | string));
    child.once("exit", () => resolve(answer));
  });
}
