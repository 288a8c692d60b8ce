import type { Publish } from "outbox";
import type { Client } from "pg";

export type FloorRelay = { stop(): Promise<void> };

const LANES = 4;

type FloorRow = {
  id: string;
  shard: number;
  topic: string;
  groupId: string;
  eventId: string;
  type: string;
  payload: string;
  traceparent: string | null;
};

/**
 * The least a relay can do: 500 rows from the bottom, filled calls on four lanes, delete with the next fetch. It knows no
 * failure, no fairness, no second relay, and puts several events of a group into one call.
 */
export function floorRelay(client: Client, publish: Publish): FloorRelay {
  const stopping = new AbortController();
  let wake = () => {};
  client.on("notification", () => wake());

  async function lane(rows: FloorRow[]): Promise<void> {
    for (let at = 0; at < rows.length; at += 10) await publish("sale", rows.slice(at, at + 10));
  }

  async function run(): Promise<void> {
    await client.query("listen outbox");
    let sent: string[] = [];
    while (!stopping.signal.aborted) {
      const { rows } = await client.query<FloorRow>({
        name: "floor",
        text: `with gone as (delete from outbox where id = any($1::bigint[]))
               select id::text as id, shard, topic, group_id as "groupId", event_id as "eventId", type, payload, traceparent
               from outbox where id <> all($1::bigint[]) order by id limit 500`,
        values: [sent],
      });
      sent = rows.map(({ id }) => id);
      const lanes = Map.groupBy(rows, ({ shard }) => shard % LANES);
      await Promise.all([...lanes.values()].map(lane));
      if (rows.length > 0) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 250);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  const running = run();
  return {
    async stop() {
      stopping.abort();
      wake();
      await running;
    },
  };
}
