import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "copilot-local";
import type { Running } from "copilot-local";
import { demo } from "@noren/database/seed";
import { Client } from "pg";

/** The whole of Noren from its manifests, on free ports, with its data in a folder of its own. */
export type Workspace = {
  running: Running;
  folder: string;
  /** Where backend-api answers. */
  apiUrl: string;
  serviceTokenKey: string;
  mallUrl: string;
  /** One statement as the owner of the schema, in the demo company. Waits for the database while it is down. */
  rows<Row>(sql: string, values?: unknown[]): Promise<Row[]>;
  pidOf(service: string): number | undefined;
  /** The postmaster's. */
  databasePid(): Promise<number>;
  close(): Promise<void>;
};

const root = join(import.meta.dirname, "../..");

export async function openWorkspace(): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), "noren-soak-"));
  const running = await start({ root, environment: "staging", port: 0, freePorts: true, data: folder });
  await running.ready(180_000);
  const workload = (name: string) => running.state().workloads.find((each) => each.name === name);
  const secrets = JSON.parse(await readFile(join(folder, "secrets.json"), "utf8")) as Record<string, string>;
  const [, serviceTokenKey = ""] =
    Object.entries(secrets).find(([name]) => name.endsWith("/SERVICE_TOKEN_KEY")) ?? [];
  const postgres = await realpath(join(folder, "postgres"));

  return {
    running,
    folder,
    apiUrl: `http://127.0.0.1:${workload("backend-api")?.port}`,
    serviceTokenKey,
    mallUrl: new URL(workload("mall-sandbox")?.url ?? "").origin,
    async rows<Row>(sql: string, values: unknown[] = []) {
      for (const until = Date.now() + 60_000; ; await pause(200)) {
        try {
          return await ask<Row>(running, sql, values);
        } catch (error) {
          // 57: the database is going down or coming up. Anything that it answers otherwise is an error of ours.
          const { code } = error as { code?: string };
          if (Date.now() > until || (code !== undefined && !/^(57|ECONN)/.test(code))) throw error;
        }
      }
    },
    pidOf: (service) => workload(service)?.pid ?? undefined,
    async databasePid() {
      const [pid] = (await readFile(join(postgres, "data", "postmaster.pid"), "utf8")).split("\n");
      return Number(pid);
    },
    async close() {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
      await rm(postgres, { recursive: true, force: true });
    },
  };
}

async function ask<Row>(running: Running, sql: string, values: unknown[]): Promise<Row[]> {
  const { database } = running.state();
  const [first] = database?.databases ?? [];
  if (!database || !first) throw new Error("The workspace has no database.");
  const client = new Client({
    host: database.host,
    port: database.port,
    database: first.name,
    user: first.owner,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select set_config('app.company_id', $1, false)", [demo.company.id]);
    return (await client.query(sql, values)).rows as Row[];
  } finally {
    await client.end().catch(() => {});
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
