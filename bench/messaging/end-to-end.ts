import { bareInbox, consume, warm } from "./consumer.ts";
import { floor, ours } from "./relays.ts";
import type { Rig, Topic } from "./rig.ts";

const QUEUES = 7;
const GROUPS = 1000;

/** Deliveries a second from a full outbox through one topic and seven queues to seven inboxes with an effect each. */
export async function endToEnd(rig: Rig, way: "floor" | "ours", events: number): Promise<number> {
  await rig.fill(events, GROUPS);
  await rig.owner.query("truncate inbox");
  const topic = await rig.topic(QUEUES);
  const pools = await Promise.all(topic.queues.map(() => warm(rig.pool(8))));
  const deliveries = events * QUEUES;
  let done = 0;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const count = (n: number) => {
    done += n;
    if (done >= deliveries) finish();
  };
  const consumers = await (way === "ours" ? ourConsumers : floorConsumers)(rig, topic, pools, count);
  const startedAt = performance.now();
  const relay = await (way === "ours" ? ours : floor)(rig, topic.publish);
  await finished;
  const perSecond = (deliveries / (performance.now() - startedAt)) * 1000;
  await Promise.all([relay.stop(), ...consumers.map((consumer) => consumer.stop())]);
  await Promise.all(pools.map((pool) => pool.end()));
  await rig.dropQueues(topic.queues);
  return perSecond;
}

type Consumers = (
  rig: Rig,
  topic: Topic,
  pools: Awaited<ReturnType<typeof warm>>[],
  count: (n: number) => void,
) => Promise<{ stop(): Promise<void> }[]>;

const ourConsumers: Consumers = (rig, { queues }, pools, count) =>
  Promise.all(
    queues.map((url, n) =>
      consume(rig.sqs, pools[n]!, url, { consumer: `bench-${n}`, afterCommit: () => count(1) }),
    ),
  );

const floorConsumers: Consumers = async (rig, { queues }, pools, count) => {
  let stopping = false;
  const loops = queues.map((url, n) => bareInbox(rig.sqs, pools[n]!, url, n + 1, () => !stopping, count));
  return loops.map((loop) => ({
    async stop() {
      stopping = true;
      await loop;
    },
  }));
};
