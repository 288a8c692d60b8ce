import { GetQueueAttributesCommand, ListQueuesCommand } from "@aws-sdk/client-sqs";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { parseArgs } from "node:util";
import { insert } from "outbox";
import { event, startRig } from "./rig.ts";

// Many messages while somebody is killed every few seconds: nothing lost, nothing twice, every group in order.

const { values } = parseArgs({
  options: {
    messages: { type: "string", default: "100000" },
    "kill-seconds": { type: "string", default: "5" },
    groups: { type: "string", default: "1000" },
  },
});
const messages = Number(values.messages);
const groups = Number(values.groups);

const rig = await startRig();
// Killed consumers' messages come back after this; every one may be in the hands of many who are killed.
const topic = await rig.topic(1, { visibility: 10, tries: 10 });
const args = { relay: topic.arn, consumer: topic.queues[0] ?? "" };

/** Two of each, started again as soon as they have ended, as ECS does. */
const running = new Map<string, ChildProcess>();
let ending = false;
function start(name: string): void {
  const kind = name.startsWith("relay") ? "relay" : "consumer";
  const program = new URL(`${kind}-host.ts`, import.meta.url).pathname;
  const child = spawn(process.execPath, [program, rig.databaseUrl, rig.endpoint, args[kind]], {
    stdio: ["pipe", "inherit", "inherit"],
  });
  running.set(name, child);
  child.on("close", () => {
    if (!ending) start(name);
  });
}
const names = ["relay 1", "consumer 1", "relay 2", "consumer 2"];
for (const name of names) start(name);

let kills = 0;
/**
 * Now sooner, now later. The broker gives what is free to a poll whose consumer has just been killed: with even pauses as long
 * as the visibility time-out, the same message came free after each kill, and was dead-lettered without anybody having had it.
 */
const killLater = (): NodeJS.Timeout =>
  setTimeout(
    () => {
      running.get(names[kills++ % names.length] ?? "")?.kill("SIGKILL");
      killer = killLater();
    },
    Number(values["kill-seconds"]) * 1000 * (0.5 + Math.random()),
  );
let killer = killLater();

const beganAt = Date.now();
/** Writers commit 20 events at a time; each has groups of its own, as if it locked their aggregates. */
async function write(writer: number, writers: number): Promise<void> {
  const own = Array.from({ length: groups }, (_, n) => n).filter((n) => n % writers === writer);
  for (let n = 0; n < messages / writers; n += 20) {
    const rows = Array.from({ length: 20 }, (_, i) => event(own[(n + i) % own.length] ?? 0, groups));
    await insert(rig.owner, rows);
    for (const { eventId, groupId } of rows) written.set(groupId, [...(written.get(groupId) ?? []), eventId]);
    // The table need not hold them all at once.
    while ((await waiting()) > 20_000) await pause(200);
  }
}
const written = new Map<string, string[]>();
await Promise.all([write(0, 2), write(1, 2)]);

/** Until everything has had its effect, or nothing has happened for two minutes. */
let [effects, movedAt] = [0, Date.now()];
while (effects < messages && Date.now() - movedAt < 120_000) {
  await pause(1000);
  const now = await count("select count(distinct event_id)::int as n from effect");
  if (now > effects) [effects, movedAt] = [now, Date.now()];
  if (process.stdout.isTTY) process.stdout.write(`\r${effects} of ${messages}, ${kills} kills `);
}
clearTimeout(killer);
const seconds = Math.round((Date.now() - beganAt) / 1000);

const { rows } = await rig.owner.query<{ event_id: string }>("select event_id from effect order by n");
const groupOf = new Map([...written].flatMap(([group, ids]) => ids.map((id) => [id, group] as const)));
const seen = new Map<string, string[]>();
for (const { event_id: id } of rows) {
  const group = groupOf.get(id) ?? "unknown";
  seen.set(group, [...(seen.get(group) ?? []), id]);
}
const all = [...written.values()].reduce((sum, ids) => sum + ids.length, 0);
const once = new Set(rows.map(({ event_id: id }) => id));
const misordered = [...written].filter(
  ([group, ids]) =>
    JSON.stringify([...new Set(seen.get(group))]) !== JSON.stringify(ids.filter((id) => once.has(id))),
);
const left = await count(
  "select ((select count(*) from outbox) + (select count(*) from parked) + (select count(*) from attempt))::int as n",
);
process.stdout.write(
  `\n${all} written in ${groups} groups, ${kills} kills -9 in ${seconds} s: ${all - once.size} lost, ` +
    `${rows.length - once.size} twice, ${misordered.length} groups out of order, ${left} rows left over\n`,
);
if (left > 0 || all > once.size) await tellWhere();
process.exitCode = all === once.size && rows.length === all && misordered.length === 0 && left === 0 ? 0 : 1;

ending = true;
for (const child of running.values()) child.kill("SIGKILL");
await rig.close();

/** What is missing, by group, and what the database and the queue know of it. */
async function tellWhere(): Promise<void> {
  const missing = [...written].flatMap(([group, ids]) => {
    const gone = ids.filter((id) => !once.has(id));
    return gone.length > 0 ? [`${gone.length} of ${group}, the first is ${gone[0]}`] : [];
  });
  console.log(missing.slice(0, 20).join("\n"));
  for (const table of ["attempt", "parked_group", "parked", "outbox"]) {
    const { rows: found } = await rig.owner.query(`select * from ${table} limit 20`);
    console.log(table, found);
  }
  // Its dead letter queue, too.
  const { QueueUrls = [] } = await rig.sqs.send(new ListQueuesCommand({}));
  for (const QueueUrl of QueueUrls) {
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] });
    console.log((await rig.sqs.send(command)).Attributes);
  }
}

async function waiting(): Promise<number> {
  return count("select count(*)::int as n from (select from outbox limit 20001) as counted");
}

async function count(sql: string): Promise<number> {
  return (await rig.owner.query<{ n: number }>(sql)).rows[0]?.n ?? 0;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
