import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { account } from "./names.ts";
import type { StandIn } from "./stand-in.ts";

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
  ms: number;
}

export interface CopilotCli {
  /** Runs the CLI in the workspace, without a terminal. `variables` are what a manifest may ask for. */
  run(args: string[], variables?: Record<string, string>): Promise<Run>;
  /** A shell script that is this CLI to whoever calls it: only the CLI itself is led to the stand-in. */
  script(variables?: Record<string, string>): string;
}

export interface CliOptions {
  binary: string;
  /** The workspace's root. */
  root: string;
  /** A folder for the certificate, the stand-in of docker and the CLI's own files. */
  scratch: string;
  region: string;
  /** Ends a command that waits for something the stand-in will never say. Milliseconds. */
  timeout?: number;
}

/** The real CLI, led to the stand-in instead of AWS, with a `docker` that builds nothing. */
export function copilotCli(
  aws: StandIn,
  { binary, root, scratch, region, timeout = 120_000 }: CliOptions,
): CopilotCli {
  const bin = join(scratch, "bin");
  const home = join(scratch, "home");
  const cert = join(scratch, "cert.pem");
  mkdirSync(bin, { recursive: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(cert, aws.cert);
  writeFileSync(join(bin, "docker"), dockerStandIn(region));
  chmodSync(join(bin, "docker"), 0o755);
  const own = offline(aws, { cert, home, region, path: bin });
  return {
    script: (variables = {}) => {
      const exports = Object.entries({ ...variables, ...own }).map(
        ([name, value]) => `export ${name}=${quoted(value)}`,
      );
      return `#!/bin/sh\n${exports.join("\n")}\nexec ${quoted(binary)} "$@"\n`;
    },
    run: (args, variables = {}) =>
      execute(binary, args, { cwd: root, env: { ...variables, ...own }, timeout }),
  };
}

/** The environment of a program that takes the stand-in for AWS: a made-up account, and nothing of the real user. */
export function offline(
  { proxy }: StandIn,
  { cert, home, region, path }: { cert: string; home: string; region: string; path: string },
): Record<string, string> {
  return {
    PATH: `${path}${delimiter}${process.env.PATH ?? ""}`,
    HOME: home,
    HTTPS_PROXY: proxy,
    AWS_CA_BUNDLE: cert,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: "offline",
    AWS_SECRET_ACCESS_KEY: "offline",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    CI: "true",
    COLOR: "false",
    LANG: process.env.LANG ?? "C.UTF-8",
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Says yes to what the CLI asks of docker when it builds and pushes an image: rendering needs a digest, not an image. */
function dockerStandIn(region: string): string {
  const image = `${account}.dkr.ecr.${region}.amazonaws.com/image@sha256:${"0".repeat(64)}`;
  return `#!/bin/sh
case "$1" in
  info) echo "'{\\"ServerErrors\\":[]}'" ;;
  inspect) echo "'\\"${image}\\"'" ;;
  login) cat >/dev/null ;;
esac
`;
}

/** Runs a program to its end with nothing on its stdin. A program that cannot be started ends with code 127. */
export function execute(
  program: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string | undefined>; timeout?: number; input?: string } = {},
): Promise<Run> {
  const start = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...(options.timeout === undefined ? {} : { timeout: options.timeout, killSignal: "SIGKILL" as const }),
  });
  // Who ends without reading its input is no news; unheard, the EPIPE would end this process.
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve) => {
    const end = (code: number, more = ""): void =>
      resolve({
        code,
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString() + more,
        ms: Math.round(performance.now() - start),
      });
    child.once("error", (error) => end(127, error.message));
    child.once("close", (code, signal) =>
      end(code ?? 1, signal === null ? "" : `\nended by ${signal}: it waited for an answer that never came`),
    );
  });
}

/** The words that explain a failure: the last line of text, without colours and progress. */
export function reasonOf({ stdout, stderr }: Run): string {
  // Escape sequences of the progress display.
  // oxlint-disable-next-line no-control-regex
  const text = `${stdout}\n${stderr}`.replaceAll(/\u001B\[[0-9;?]*[A-Za-z]/g, "");
  const lines = text.split("\n").filter((line) => /[a-z]/i.test(line));
  return (lines.findLast((line) => line.startsWith("✘")) ?? lines.at(-1) ?? "").trim();
}
