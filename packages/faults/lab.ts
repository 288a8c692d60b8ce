import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
import { startFaultProxy } from "fault-proxy";
import type { FaultProxy } from "fault-proxy";
import { startFifoStub } from "fifo-stub";
import type { FifoStub, QueueState } from "fifo-stub";
import { insert } from "outbox";
import type { OutboxRow, RelayHealth } from "outbox";
import { Client } from "pg";
import type { TestPostgres } from "test-postgres";
import type { WorkerHealth } from "worker";
import { thing } from "./events.ts";
import type { Thing } from "./events.ts";
import { run } from "./process.ts";
import type { Process } from "./process.ts";
import type { RelaySettings } from "./relay.program.ts";
import { prepare } from "./schema.ts";
import type { WorkerSettings } from "./worker.program.ts";

export type RelayProcess = Process<RelayHealth>;
export type WorkerProcess = Process<WorkerHealth>;

/** What is wrong, compared from the tables: nothing is, when all are 0. */
export type Verdict = {
  /** Committed, without an effect at some consumer. */
  lost: number;
  /** Effects beyond the first of an event at a consumer. */
  twice: number;
  /** Effects after one of a later event of their group. */
  misordered: number;
  /** Handlers that ran while another one ran the same event. */
  overlapping: number;
  /** Rows still in the outbox, messages still in the queues. */
  left: number;
  /** Messages in dead letter queues, and parked ones. */
  dead: number;
  parked: number;
};

export const nothingWrong: Verdict = {
  lost: 0,
  twice: 0,
  misordered: 0,
  overlapping: 0,
  left: 0,
  dead: 0,
  parked: 0,
};

export type TestQueue = {
  consumer: string;
  name: string;
  url: string;
  arn: string;
  state(): QueueState;
  dead(): QueueState;
};

const credentials = { accessKeyId: "x", secretAccessKey: "x" };
const TENANT = "00000000-0000-7000-8000-000000000001";
const TOPIC = "thing";

/**
 * One shop in small: an outbox and two kinds of processes around it, a topic and queues by AWS's rules, and a proxy in
 * front of them, all of its own. What happened is judged by comparing tables.
 */
export class Lab {
  readonly server: TestPostgres;
  readonly databaseUrl: string;
  readonly stub: FifoStub;
  /** In front of the stub; workers and, by default, relays go through it. */
  readonly proxy: FaultProxy;
  readonly queues: TestQueue[] = [];
  readonly #processes: Process<unknown>[] = [];
  readonly #proxies: FaultProxy[] = [];
  readonly #sqs: SQSClient;
  readonly #sns: SNSClient;
  #topicArn = "";
  readonly #clients = new Map<string, Client>();

  private constructor(server: TestPostgres, databaseUrl: string, stub: FifoStub, proxy: FaultProxy) {
    this.server = server;
    this.databaseUrl = databaseUrl;
    this.stub = stub;
    this.proxy = proxy;
    const settings = { endpoint: stub.url, region: "us-east-1", credentials };
    this.#sqs = new SQSClient(settings);
    this.#sns = new SNSClient(settings);
  }

  static async open(server: TestPostgres, { seed = 1 }: { seed?: number } = {}): Promise<Lab> {
    const [database, stub] = await Promise.all([server.createDatabase(), startFifoStub()]);
    const lab = new Lab(
      server,
      server.url(database),
      stub,
      await startFaultProxy({ target: stub.url, seed }),
    );
    await prepare(await lab.client());
    const { TopicArn = "" } = await lab.#sns.send(new CreateTopicCommand({ Name: `${TOPIC}.fifo` }));
    lab.#topicArn = TopicArn;
    return lab;
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.map((one) => one.end()));
    await Promise.all([...this.#clients.values()].map((one) => one.end().catch(() => {})));
    this.#sqs.destroy();
    this.#sns.destroy();
    await Promise.all([...this.#proxies, this.proxy].map((one) => one.close()));
    await this.stub.close();
  }

  /** A connection of its own for the judge, and one for the writer; opened again when the server had been away. */
  async client(of: "judge" | "writer" = "judge"): Promise<Client> {
    const open = this.#clients.get(of);
    if (open) return open;
    const fresh = new Client({ connectionString: this.databaseUrl });
    const drop = () => {
      if (this.#clients.get(of) === fresh) this.#clients.delete(of);
    };
    fresh.on("error", drop);
    fresh.on("end", drop);
    await fresh.connect();
    this.#clients.set(of, fresh);
    return fresh;
  }

  async rows<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await (await this.client()).query<Row>(text, values)).rows;
  }

  /** A queue with its dead letter queue, subscribed to the topic. Its name is the consumer's too, unless two share one. */
  async queue({
    name = "one",
    visibility = 30,
    maxReceives = 5,
    raw = true,
    consumer = name,
  }: {
    name?: string;
    visibility?: number;
    maxReceives?: number;
    raw?: boolean;
    consumer?: string;
  } = {}): Promise<TestQueue> {
    const arn = (of: string) => `arn:aws:sqs:us-east-1:000000000000:${of}.fifo`;
    const make = (of: string, attributes: Record<string, string>) =>
      this.#sqs.send(
        new CreateQueueCommand({ QueueName: `${of}.fifo`, Attributes: { FifoQueue: "true", ...attributes } }),
      );
    await make(`${name}-dead`, {});
    await make(name, {
      VisibilityTimeout: String(visibility),
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: arn(`${name}-dead`),
        maxReceiveCount: maxReceives,
      }),
    });
    await this.#sns.send(
      new SubscribeCommand({
        TopicArn: this.#topicArn,
        Protocol: "sqs",
        Endpoint: arn(name),
        Attributes: raw ? { RawMessageDelivery: "true" } : {},
      }),
    );
    const queue = {
      consumer,
      name,
      url: this.stub.queueUrl(`${name}.fifo`),
      arn: arn(name),
      state: () => this.stub.state(`${name}.fifo`),
      dead: () => this.stub.state(`${name}-dead.fifo`),
    };
    this.queues.push(queue);
    return queue;
  }

  relay(
    id: string,
    {
      sessionTimeoutMs = 5000,
      publishTimeoutMs = 5000,
      proxy = this.proxy,
      clockShiftMs = 0,
    }: Partial<RelaySettings> & { proxy?: FaultProxy; clockShiftMs?: number } = {},
  ): RelayProcess {
    const settings: RelaySettings = {
      databaseUrl: this.databaseUrl,
      endpoint: proxy.url,
      topicArns: { [TOPIC]: this.#topicArn },
      id,
      sessionTimeoutMs,
      publishTimeoutMs,
    };
    return this.#started(run<RelayHealth>("relay.program.ts", settings, clockShiftMs));
  }

  worker(
    queue: TestQueue,
    {
      order = "group",
      version = 1,
      firstDies = null,
      concurrency = 4,
      clockShiftMs = 0,
    }: Partial<WorkerSettings> & { clockShiftMs?: number } = {},
  ): WorkerProcess {
    const settings: WorkerSettings = {
      databaseUrl: this.databaseUrl,
      endpoint: this.proxy.url,
      queueUrl: queue.url,
      consumer: queue.consumer,
      order,
      version,
      firstDies,
      concurrency,
    };
    return this.#started(run<WorkerHealth>("worker.program.ts", settings, clockShiftMs));
  }

  #started<Health>(one: Process<Health>): Process<Health> {
    this.#processes.push(one);
    return one;
  }

  /** Another proxy in front of the stub, to tell two relays apart. */
  async anotherProxy(): Promise<FaultProxy> {
    const proxy = await startFaultProxy({ target: this.stub.url });
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Commits the next `count` events of each group, with their facts, as a shop does: under a lock on the aggregate. */
  async write(
    groups: string | string[],
    count: number,
    more: Partial<OutboxRow> = {},
    client?: Client,
  ): Promise<void> {
    const writer = client ?? (await this.client("writer"));
    if (!client) await writer.query("begin");
    try {
      const { rows } = await writer.query<{ group_id: string; seq: number }>(
        `insert into aggregate (group_id, seq) select unnest($1::text[]), $2
         on conflict (group_id) do update set seq = aggregate.seq + excluded.seq returning group_id, seq`,
        [[groups].flat(), count],
      );
      const events = rows.flatMap(({ group_id, seq }) =>
        Array.from({ length: count }, (_, n) => thing(group_id, seq - count + n + 1)),
      );
      await insertFacts(writer, events);
      await insert(
        writer,
        events.map((event) => ({ ...rowOf(event), ...more })),
      );
      if (!client) await writer.query("commit");
    } catch (error) {
      if (!client) await writer.query("rollback").catch(() => {});
      throw error;
    }
  }

  /** Puts an event straight into a queue, for tests of consumers alone. */
  async send(
    queue: TestQueue,
    event: Thing,
    { counted = true, body }: { counted?: boolean; body?: string } = {},
  ): Promise<Thing> {
    if (counted) await insertFacts(await this.client(), [event]);
    await this.#sqs.send(
      new SendMessageCommand({
        QueueUrl: queue.url,
        MessageBody: body ?? JSON.stringify(event),
        MessageGroupId: event.group,
        MessageDeduplicationId: randomUUID(),
      }),
    );
    return event;
  }

  async sendAll(queue: TestQueue, ...names: string[]): Promise<Thing[]> {
    const events = [];
    for (const name of names) {
      const [group = "", n = "1"] = name.split("-");
      events.push(await this.send(queue, thing(group, Number(n))));
    }
    return events;
  }

  /** From now on handlers do this with event `n` of a group (0: with each). Undefined: nothing special any more. */
  async behave(group: string, n: number, what: string | undefined): Promise<void> {
    await this.rows("delete from behaviour where group_id = $1 and n = $2", [group, n]);
    if (what) await this.rows("insert into behaviour values ($1, $2, $3)", [group, n, what]);
  }

  /**
   * The most rounds that a relay made in a row while some shard had no owner, since the last time this was asked. A bound in
   * rounds is one in time that a busy machine does not break: a relay makes four a second.
   */
  async roundsWithoutOwner(): Promise<number> {
    const [row] = await this.rows<{ most: number }>(
      `with seen as (delete from round returning *),
       stretches as (select *, count(*) filter (where unowned = 0) over (partition by relay order by k) as stretch from seen),
       lengths as (select count(*) as n from stretches where unowned > 0 group by relay, stretch)
       select coalesce(max(n), 0)::int as most from lengths`,
    );
    return row!.most;
  }

  /** The effects of a consumer as `group-n`, in order. */
  async effects(queue: TestQueue): Promise<string[]> {
    const rows = await this.rows<{ name: string }>(
      "select group_id || '-' || n as name from effect where consumer = $1 order by k",
      [queue.consumer],
    );
    return rows.map(({ name }) => name);
  }

  async verdict(): Promise<Verdict> {
    const [row] = await this.rows<Omit<Verdict, "dead">>(
      `with expected as (select event_id, consumer from fact, unnest($1::text[]) as consumer),
       done as (
         select *, max(n) over (partition by consumer, group_id order by k rows between unbounded preceding and 1 preceding) as before
         from effect
       )
       select (select count(*) from expected left join effect using (event_id, consumer) where effect.k is null)::int as lost,
              (select count(*) - count(distinct (consumer, event_id)) from effect)::int as twice,
              (select count(*) from done where n < before)::int as misordered,
              (select count(*) from run a join run b using (consumer, event_id)
               where a.k < b.k and a.ended > b.began)::int as overlapping,
              (select count(*) from outbox)::int as left,
              (select count(*) from parked)::int as parked`,
      [[...new Set(this.queues.map(({ consumer }) => consumer))]],
    );
    const count = (read: (queue: TestQueue) => QueueState) =>
      this.queues.reduce((sum, queue) => sum + read(queue).messages.length, 0);
    return {
      ...row!,
      left: row!.left + count((queue) => queue.state()),
      dead: count((queue) => queue.dead()),
    };
  }

  /**
   * Resolves to the verdict once nothing is lost or left, or something is wrong for good (waiting cannot mend it), or,
   * with what it is then, after `timeoutMs`.
   */
  async settled({ timeoutMs = 180_000 }: { timeoutMs?: number } = {}): Promise<Verdict> {
    const deadline = performance.now() + timeoutMs;
    let [seen, seenAt] = ["", performance.now()];
    for (;;) {
      const verdict = await this.verdict().catch(() => undefined);
      if (verdict) {
        const done = verdict.lost === 0 && verdict.left === 0;
        const broken = verdict.twice + verdict.misordered + verdict.dead > 0;
        if (JSON.stringify(verdict) !== seen) [seen, seenAt] = [JSON.stringify(verdict), performance.now()];
        // Nothing is on its way any more, and nothing comes.
        const lost = verdict.left === 0 && performance.now() - seenAt > 10_000;
        if (done || broken || lost || performance.now() > deadline) return verdict;
      } else if (performance.now() > deadline) {
        throw new Error("The database did not answer the judge.");
      }
      await pause(60);
    }
  }
}

function rowOf(event: Thing): OutboxRow {
  return {
    tenant: TENANT,
    topic: TOPIC,
    groupId: event.group,
    eventId: event.id,
    type: event.type,
    version: event.version,
    payload: JSON.stringify(event),
  };
}

async function insertFacts(client: Client, events: Thing[]): Promise<void> {
  await client.query(
    "insert into fact (event_id, group_id, n) select * from unnest($1::uuid[], $2::text[], $3::int[])",
    [events.map(({ id }) => id), events.map(({ group }) => group), events.map(({ n }) => n)],
  );
}
