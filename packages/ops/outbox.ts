import { outboxState } from "outbox";
import { look } from "./operate.ts";
import { printRows } from "./print.ts";
import type { Output } from "./print.ts";
import type { Target } from "./target.ts";

type Reading = { what: string; value: string; next: string | null };

/** How the outbox stands: what the alarms of the relay ring for, each with what to do about it. */
export async function showOutbox(target: Target, output: Output): Promise<void> {
  const state = await look(target, (client) => outboxState(client));
  if (output.json) return output.out(JSON.stringify(state, null, 2));
  const { lagMs, depth, blockedGroups, unownedShards, relays, oldestSnapshot } = state;
  const silent = relays.filter(({ seenMs }) => seenMs > 10_000);
  const lag = (lagMs ?? 0) / 1000;
  const readings: Reading[] = [
    {
      what: "oldest event waits",
      value: `${lag.toFixed(1)} s`,
      next: lag > 10 ? "read the relay's log: is a topic refusing, or SNS away?" : null,
    },
    { what: "events in the outbox", value: depth > 10_000 ? "more than 10,000" : String(depth), next: null },
    {
      what: "blocked groups",
      value: String(blockedGroups),
      next: blockedGroups > 0 ? `pnpm ops blocked ${target.name}` : null,
    },
    {
      what: "shards without a relay",
      value: String(unownedShards),
      next:
        unownedShards > 0 ? "does backend-outbox run? A relay that starts takes them within a second" : null,
    },
    ...relays.map(({ id, shards, seenMs }): Reading => ({
      what: `relay ${id}`,
      value: `${shards} shards, seen ${(seenMs / 1000).toFixed(1)} s ago`,
      next: seenMs > 10_000 ? "it hangs or is gone" : null,
    })),
    {
      what: "oldest snapshot",
      value: oldestSnapshot
        ? `pid ${oldestSnapshot.pid}, ${oldestSnapshot.role || "no role"} ${oldestSnapshot.application}, ${oldestSnapshot.transactions} transactions ago`.replaceAll(
            / +/g,
            " ",
          )
        : "none",
      next:
        (oldestSnapshot?.transactions ?? 0) > 10_000
          ? `the database's administrator: select pg_terminate_backend(${oldestSnapshot?.pid})`
          : null,
    },
  ];
  printRows(output, readings, {
    what: (row) => row.what,
    value: (row) => row.value,
    next: (row) => row.next,
  });
  if (relays.length === silent.length) output.note("No relay works: nothing leaves the outbox.");
}
