import { spawn } from "node:child_process";
import { once } from "node:events";
import { SHARDS, insert, relay, shardOf } from "outbox";
import { silent } from "./relays.ts";
import { event } from "./rig.ts";
import type { Rig } from "./rig.ts";

/** One group of each shard. */
const groups = Array.from({ length: SHARDS }, (_, shard) => {
  for (let n = 0; ; n++) if (shardOf(`g${n}`) === shard) return n;
});

/** From the SIGKILL of one of two relays until the other has published an event of every shard, in ms. */
export async function takeover(rig: Rig): Promise<number> {
  await rig.owner.query("truncate outbox");
  const host = new URL("relay-host.ts", import.meta.url).pathname;
  const victim = spawn(process.execPath, [host, rig.databaseUrl], { stdio: ["pipe", "inherit", "inherit"] });
  const seen = new Set<string>();
  const survivor = relay({
    connect: rig.connect,
    log: silent,
    publish: async (_, events) => {
      for (const { groupId } of events) seen.add(groupId);
      return events.map(() => ({ ok: true }));
    },
  });
  await until(() => survivor.health().detail.relays === 2 && survivor.health().detail.shards === SHARDS / 2);
  victim.kill("SIGKILL");
  const killedAt = performance.now();
  await insert(
    rig.owner,
    groups.map((group) => event(group, Number.MAX_SAFE_INTEGER)),
  );
  await until(() => seen.size === SHARDS);
  const ms = performance.now() - killedAt;
  if (victim.exitCode === null && victim.signalCode === null) await once(victim, "close");
  await survivor.stop();
  return ms;
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 2));
}
