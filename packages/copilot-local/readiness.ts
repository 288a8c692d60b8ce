import { spawn } from "node:child_process";
import { connect } from "node:net";
import type { Workload } from "copilot-manifest";

interface Verdict {
  ok: boolean;
  /** What is being waited for, in words: `GET /health answered 503`. */
  detail: string;
}

/** One look at a running process. Never throws. */
export type Probe = () => Promise<Verdict>;

export interface ProbeContext {
  directory: string;
  variables: Record<string, string>;
  /** The port it listens on here; undefined when its manifest names none. */
  port: number | undefined;
}

/**
 * How to see that a workload is ready: the load balancer's health check where it has one, else the container's
 * health check, run as it stands, else its open port. Undefined when the manifest says nothing that could be looked at.
 */
export function probeOf(workload: Workload, context: ProbeContext): Probe | undefined {
  const { port } = context;
  if (workload.http && port !== undefined) {
    return httpProbe(port, workload.http.healthcheckPath, workload.http.successCodes);
  }
  const healthcheck = workload.image.healthcheck;
  if (healthcheck && healthcheck.command[0] !== "NONE") {
    const command = commandProbe(healthcheck.command, healthcheck.timeoutSeconds * 1000, context);
    if (port === undefined) return command;
    // Starting a shell and a Node for each look is dear; nothing can answer before the port is open.
    const open = portProbe(port);
    return async () => {
      const listening = await open();
      return listening.ok ? command() : listening;
    };
  }
  return port === undefined ? undefined : portProbe(port);
}

/** GET on the loopback; by default every status from 200 to 399 is well, as for a load balancer's target. */
export function httpProbe(port: number, path: string, successCodes = "200-399"): Probe {
  const ranges = successCodes.split(",").map((part) => part.split("-").map(Number));
  return async () => {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        signal: AbortSignal.timeout(5_000),
        redirect: "manual",
      });
      await response.body?.cancel();
      const { status } = response;
      const ok = ranges.some(([low = NaN, high = low]) => status >= low && status <= high);
      return { ok, detail: `GET ${path} answered ${status}` };
    } catch (error) {
      return { ok: false, detail: `GET ${path} on port ${port}: ${causeOf(error)}` };
    }
  };
}

export function portProbe(port: number): Probe {
  return () =>
    new Promise((done) => {
      const socket = connect({ port, host: "127.0.0.1" });
      const end = (ok: boolean, detail: string) => {
        socket.destroy();
        done({ ok, detail });
      };
      socket.setTimeout(2_000, () => end(false, `port ${port} does not answer`));
      socket.once("connect", () => end(true, `port ${port} is open`));
      socket.once("error", () => end(false, `port ${port} is not open yet`));
    });
}

function commandProbe(command: string[], timeoutMs: number, { directory, variables }: ProbeContext): Probe {
  const [kind, ...rest] = command;
  const shell = (line: string) => ["/bin/sh", "-c", line];
  const argv =
    kind === "CMD" ? rest : kind === "CMD-SHELL" ? shell(rest.join(" ")) : shell(command.join(" "));
  return () =>
    new Promise((done) => {
      const [program = "", ...args] = argv;
      const child = spawn(program, args, {
        cwd: directory,
        env: variables,
        stdio: ["ignore", "ignore", "pipe"],
        timeout: timeoutMs,
        killSignal: "SIGKILL",
      });
      let words = "";
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => (words = (words + chunk).slice(-500)));
      child.once("error", (error) => done({ ok: false, detail: `health check: ${error.message}` }));
      child.once("close", (code, signal) =>
        done({
          ok: code === 0,
          detail: `health check: ${signal ? `no answer within ${timeoutMs / 1000} s` : `exit code ${code}`}${words ? `, ${words.trim().split("\n").at(-1)}` : ""}`,
        }),
      );
    });
}

function causeOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
