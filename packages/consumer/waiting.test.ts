import { readFileSync } from "node:fs";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { newId } from "@noren/events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { sayWaiting } from "./waiting.ts";

let testing: TestDatabase;
const lines: { line: Record<string, unknown>; text: string }[] = [];
const log = { warn: (line: Record<string, unknown>, text: string) => void lines.push({ line, text }) };

beforeAll(async () => {
  testing = await testDatabase();
  await superuser(
    "insert into consumer (name) values ('worker-item'), ('worker-product') on conflict do nothing",
  );
});
beforeEach(() => void lines.splice(0));
afterAll(() => testing.drop());

const superuser = (text: string, values: unknown[] = []) =>
  testing.connect("postgres").pool.query(text, values);
/** As the worker's own role sees it. */
const say = () => sayWaiting("worker-item", testing.connect("worker_item").pool, log as never);

test("a worker says nothing while nothing of it waits for a person", async () => {
  await superuser(
    "insert into parked_group (consumer, group_id, reason) select id, 'g', 'x' from consumer where name = 'worker-product'",
  );
  await say();
  expect(lines).toEqual([]);
});

test("its parked groups and its strays are figures, and the line says what to type", async () => {
  await superuser(
    "insert into parked_group (consumer, group_id, reason) select id, 'g' || n, 'x' from consumer, generate_series(1, 2) n where name = 'worker-item'",
  );
  await superuser(
    "insert into inbox (event_id, consumer) select '00000000-0000-4000-8000-000000000001', id from consumer where name = 'worker-item'",
  );
  // A day that has its partition is no stray.
  await superuser(
    "insert into inbox (event_id, consumer) select $1, id from consumer where name = 'worker-item'",
    [newId()],
  );
  await say();
  expect(lines).toEqual([
    {
      line: expect.objectContaining({ ParkedGroups: 2, InboxStrays: 1 }),
      text: "messages wait for a person: pnpm ops parked local worker-item, pnpm ops strays local worker-item",
    },
  ]);
});

test("a database that is away is no news of this kind", async () => {
  const away = { query: () => Promise.reject(new Error("away")) };
  await sayWaiting("worker-item", away as never, log as never);
  expect(lines).toEqual([]);
});

test("each of its figures is watched by an alarm of every worker", async () => {
  await say();
  const reported = Object.keys(lines[0]?.line ?? {}).filter((key) => key !== "_aws");
  const patches = new URL("../../copilot/worker-item/overrides/cfn.patches.yml", import.meta.url);
  const watched = readFileSync(patches, "utf8").matchAll(
    /Namespace:\s+Fn::Sub: \$\{AppName\}\s+MetricName: (\w+)/g,
  );
  expect(new Set(Array.from(watched, ([, name]) => name))).toEqual(new Set(reported));
});
