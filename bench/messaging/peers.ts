import { Logger, run, runMigrations } from "graphile-worker";
import type { OutgoingEvent, Publish } from "outbox";
import { PgBoss } from "pg-boss";
import { DatabaseSetup, getDisabledLogger, initializePollingMessageListener } from "pg-transactional-outbox";
import type { StartRelay } from "./relays.ts";
import type { Rig } from "./rig.ts";

// Each gets the rows of the outbox in its own table before the clock starts, and publishes by the same function.

const columns = `topic, group_id as "groupId", event_id as "eventId", type, payload, traceparent`;

/** A job each, eight at once: what its documentation shows. One event is one call. */
export const graphileWorker: StartRelay = async (rig, publish) => {
  const quiet = new Logger(() => () => {});
  const options = { connectionString: rig.databaseUrl, logger: quiet };
  await runMigrations({ ...options, taskList: {} });
  await rig.owner.query("delete from graphile_worker._private_jobs");
  await rig.owner.query(
    `select graphile_worker.add_jobs(array(
       select ('publish', to_json(o), null, null, null, null, null, null)::graphile_worker.job_spec
       from (select ${columns} from outbox order by id) o))`,
  );
  const runner = await run({
    ...options,
    concurrency: 8,
    noHandleSignals: true,
    taskList: {
      publish: async (event) => void (await publish("sale", [event as OutgoingEvent])),
    },
  });
  return { stop: () => runner.stop() };
};

/** A hundred jobs at a time, published in calls of ten on four lanes and completed together. */
export const pgBoss: StartRelay = async (rig, publish) => {
  const boss = new PgBoss({ connectionString: rig.databaseUrl, supervise: false, schedule: false });
  boss.on("error", () => {});
  await boss.start();
  await boss.createQueue("outbox");
  await boss.deleteAllJobs("outbox");
  const { rows } = await rig.owner.query<OutgoingEvent>(`select ${columns} from outbox order by id`);
  for (let at = 0; at < rows.length; at += 1000)
    await boss.insert(
      "outbox",
      rows.slice(at, at + 1000).map((data) => ({ data })),
    );
  const stopping = new AbortController();
  const work = async () => {
    while (!stopping.signal.aborted) {
      const jobs = await boss.fetch<OutgoingEvent>("outbox", { batchSize: 100 });
      if (jobs.length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        continue;
      }
      await inLanes(
        jobs.map(({ data }) => data),
        publish,
      );
      await boss.complete(
        "outbox",
        jobs.map(({ id }) => id),
      );
    }
  };
  const working = work();
  return {
    async stop() {
      stopping.abort();
      await working;
      await boss.stop({ graceful: false });
    },
  };
};

async function inLanes(events: OutgoingEvent[], publish: Publish): Promise<void> {
  let at = 0;
  const lane = async () => {
    while (at < events.length) {
      const from = at;
      at += 10;
      await publish("sale", events.slice(from, from + 10));
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

/** Its polling listener with its own defaults but a batch of a hundred; a message is a transaction and a call. */
export const pgTransactionalOutbox: StartRelay = async (rig, publish) => {
  await createItsTable(rig);
  await rig.owner.query(
    `insert into peer_outbox (id, aggregate_type, aggregate_id, message_type, payload, concurrency)
     select event_id, 'sale', group_id, type, to_jsonb(o), 'sequential' from (select ${columns}, event_id, group_id
     from outbox order by id) o`,
  );
  const address = new URL(rig.databaseUrl);
  const [shutdown] = initializePollingMessageListener(
    {
      outboxOrInbox: "outbox",
      dbListenerConfig: {
        host: address.hostname,
        port: Number(address.port),
        user: address.username,
        database: address.pathname.slice(1),
      },
      settings: {
        dbSchema: "public",
        dbTable: "peer_outbox",
        enableMaxAttemptsProtection: false,
        enablePoisonousMessageProtection: false,
        nextMessagesBatchSize: 100,
        nextMessagesFunctionName: "next_peer_messages",
        nextMessagesPollingIntervalInMs: 100,
      },
    },
    {
      handle: async ({ payload }) => void (await publish("sale", [payload as OutgoingEvent])),
    },
    getDisabledLogger(),
  );
  return { stop: () => shutdown() };
};

async function createItsTable({ owner }: Rig): Promise<void> {
  const config = {
    outboxOrInbox: "outbox" as const,
    database: "bench",
    schema: "public",
    table: "peer_outbox",
    listenerRole: "postgres",
    nextMessagesName: "next_peer_messages",
  };
  await owner.query(DatabaseSetup.dropAndCreateTable(config));
  await owner.query(DatabaseSetup.createPollingFunction(config));
  await owner.query(DatabaseSetup.setupPollingIndexes(config));
}
