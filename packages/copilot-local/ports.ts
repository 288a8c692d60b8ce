import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { basename } from "node:path";

/** True when nothing listens on `port`, neither on the loopback nor on any other address of this machine. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, "127.0.0.1")) && (await canListen(port, undefined));
}

function canListen(port: number, host: string | undefined): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => done(true)));
  });
}

const handedOut = new Set<number>();

/**
 * A port that nobody listens on. Taken from below the range that the system uses for outgoing connections, so that
 * a connection of somebody else does not sit on it between now and the moment the service listens.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (handedOut.has(port)) continue;
    if (await isFree(port)) {
      handedOut.add(port);
      return port;
    }
  }
  throw new Error("no free port found between 20000 and 32000");
}

/** The first of `preferred` that is free, else any free port. */
export async function portNear(...preferred: number[]): Promise<number> {
  for (const port of preferred) if (!handedOut.has(port) && (await isFree(port))) return port;
  return freePort();
}

/** Who listens on the port, as `command (pid 123)`; undefined when the system does not tell. */
export function holderOf(port: number): string | undefined {
  try {
    return process.platform === "linux" ? holderFromProc(port) : holderFromLsof(port);
  } catch {
    return undefined;
  }
}

function holderFromProc(port: number): string | undefined {
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readFileSync(table, "utf8").split("\n").slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      // 0A is LISTEN; the port is the hexadecimal part behind the colon.
      if (state === "0A" && inode && parseInt(local?.split(":")[1] ?? "", 16) === port) inodes.add(inode);
    }
  }
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (inode && inodes.has(inode)) {
          const [program = "", ...args] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
          const command = [basename(program), ...args].join(" ").trim();
          return `${command.slice(0, 80)} (pid ${pid})`;
        }
      }
    } catch {
      // Ended meanwhile, or another user's process.
    }
  }
  return undefined;
}

function holderFromLsof(port: number): string | undefined {
  const lines = execFileSync("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"], {
    encoding: "utf8",
  }).split("\n");
  const pid = lines.find((line) => line.startsWith("p"))?.slice(1);
  const command = lines.find((line) => line.startsWith("c"))?.slice(1);
  return pid ? `${command} (pid ${pid})` : undefined;
}
