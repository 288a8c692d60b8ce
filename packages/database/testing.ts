import { startPostgres, type TestPostgres } from "test-postgres";
import { Client } from "pg";
import { clientConfig, connect, type Database, type Settings } from "./connect.ts";
import { migrate } from "./migrate.ts";

export type TestDatabase = {
  settings: Settings;
  /** As the owner `noren`: migrations, seeds, and looking at every table (within `inCompany`). */
  owner: Database;
  /** As any workload's role, e.g. `worker_item`, or as the superuser `postgres`, whom row-level security does not bind. */
  connect(user: string, options?: { max?: number }): Database;
  /** Closes every connection it handed out and deletes the database. */
  drop(): Promise<void>;
};

type Cluster = { server: TestPostgres; template: string };
let cluster: Promise<Cluster> | undefined;
let users = 0;

/**
 * A migrated database of its own, in about 50 ms, on a real PostgreSQL that this process starts on the first call
 * (1–2 s). Call `drop()` in `afterAll`: the last one ends the server, which would keep the process alive.
 */
export async function testDatabase(): Promise<TestDatabase> {
  users += 1;
  cluster ??= start();
  const { server, template } = await cluster;
  const name = await server.createDatabase(template);
  // A clone belongs to who made it; the schema, and the right to create in it, belong to the database's owner.
  await asSuperuser(server, "postgres", `alter database ${name} owner to noren`);
  const settings = { host: "127.0.0.1", port: server.port, name, user: "noren" };
  const open: Database[] = [];
  const connectAs = (user: string, options?: { max?: number }) => {
    const database = connect({ ...settings, user }, options);
    open.push(database);
    return database;
  };
  return {
    settings,
    owner: connectAs("noren"),
    connect: connectAs,
    async drop() {
      await Promise.all(open.map((database) => database.close()));
      users -= 1;
      if (users > 0) return asSuperuser(server, "postgres", `drop database ${name} with (force)`);
      cluster = undefined;
      await server.stop();
    },
  };
}

async function start(): Promise<Cluster> {
  const server = await startPostgres({ settings: { max_connections: "200" } });
  const template = await server.createDatabase();
  // As in AWS the owner is no superuser: what works here works there.
  await asSuperuser(server, "postgres", "create role noren login createrole");
  await asSuperuser(server, "postgres", `alter database ${template} owner to noren`);
  const owner = new Client(
    clientConfig({ host: "127.0.0.1", port: server.port, name: template, user: "noren" }),
  );
  await owner.connect();
  try {
    await migrate(owner, { info: () => {} });
  } finally {
    await owner.end();
  }
  return { server, template };
}

async function asSuperuser(server: TestPostgres, database: string, text: string): Promise<void> {
  const client = new Client({ connectionString: server.url(database) });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
