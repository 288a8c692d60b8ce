import { spawn } from "node:child_process";
import { once } from "node:events";
import { inCompany, plan } from "@noren/database";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { newId } from "@noren/events";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { comeDue } from "./clock.ts";

let testing: TestDatabase;
const companyId = newId();

beforeAll(async () => {
  testing = await testDatabase();
  await inCompany(testing.owner, companyId, (tx) =>
    tx.insertInto("companies").values({ id: companyId, code: "noren-do", name: "のれん堂" }).execute(),
  );
});
afterAll(() => testing.drop());
beforeEach(() => testing.connect("postgres").pool.query("delete from schedules; delete from outbox"));
afterEach(() => void vi.useRealTimers());

function startClockProcess() {
  const settings = JSON.stringify({ ...testing.settings, user: "worker_scheduled" });
  const file = new URL("testing-clock.ts", import.meta.url).pathname;
  return spawn(process.execPath, [file, settings], { stdio: ["ignore", "ignore", "inherit"] });
}

test("thousands due in the same second come due exactly once, though every clock is killed amidst", async () => {
  const everything = testing.connect("postgres");
  await everything.pool.query(
    `insert into schedules (company_id, id, kind, subject_id, due_at)
     select $1, gen_random_uuid(), 'order.deadline', 'order-' || n, date_trunc('second', now())
     from generate_series(1, 5000) n`,
    [companyId],
  );
  const planned = async () => {
    const { rows } = await everything.pool.query<{ n: number }>(
      "select count(*)::int as n from schedules where state = 'planned'",
    );
    return rows[0]?.n ?? 0;
  };

  let kills = 0;
  for (let before = await planned(); before > 0; before = await planned()) {
    const clocks = [startClockProcess(), startClockProcess()];
    const enough = Math.max(0, before - 1500);
    await vi.waitFor(async () => expect(await planned()).toBeLessThanOrEqual(enough), {
      timeout: 20_000,
      interval: 5,
    });
    for (const clock of clocks) {
      const closed = once(clock, "close");
      clock.kill("SIGKILL");
      await closed;
      kills += 1;
    }
  }

  expect(kills).toBeGreaterThanOrEqual(4);
  const { rows } = await everything.pool.query(
    "select count(*)::int as events, count(distinct group_id)::int as subjects from outbox",
  );
  expect(rows).toEqual([{ events: 5000, subjects: 5000 }]);
});

test.each([-10, 10])(
  "a task whose own clock is %i minutes off claims what the database calls due, and nothing else",
  async (minutes) => {
    const now = Date.now();
    await inCompany(testing.owner, companyId, async (tx) => {
      await plan(tx, companyId, { kind: "order.deadline", subjectId: "past", dueAt: new Date(now - 60_000) });
      await plan(tx, companyId, {
        kind: "order.deadline",
        subjectId: "next",
        dueAt: new Date(now + 300_000),
      });
    });
    vi.useFakeTimers({ toFake: ["Date"], now: now + minutes * 60_000 });
    await comeDue(testing.connect("worker_scheduled"));
    const { rows } = await testing.connect("postgres").pool.query("select group_id from outbox");
    expect(rows).toEqual([{ group_id: "past" }]);
  },
);
