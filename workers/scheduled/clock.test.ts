import { type Database, inCompany, plan } from "@noren/database";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { newId, scheduleCameDue } from "@noren/events";
import { logger } from "@noren/service";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { comeDue, startClock } from "./clock.ts";

let testing: TestDatabase;
let worker: Database;
let everything: Database;
let companies: string[];

beforeAll(async () => {
  testing = await testDatabase();
  worker = testing.connect("worker_scheduled");
  everything = testing.connect("postgres");
});
afterAll(() => testing.drop());

beforeEach(async () => {
  await everything.pool.query("delete from schedules; delete from outbox");
  companies = [newId(), newId()];
  for (const id of companies)
    await inCompany(testing.owner, id, (tx) =>
      tx
        .insertInto("companies")
        .values({ id, code: `c-${id.slice(-12)}`, name: "のれん堂" })
        .execute(),
    );
});

const HOUR = 3_600_000;
const planned = (companyId: string, subjectId: string, inMs: number) =>
  inCompany(testing.owner, companyId, (tx) =>
    plan(tx, companyId, { kind: "order.deadline", subjectId, dueAt: new Date(Date.now() + inMs) }),
  );

async function emitted() {
  const { rows } = await everything.pool.query<{ payload: string }>("select payload from outbox order by id");
  return rows.map(({ payload }) => scheduleCameDue.parse(JSON.parse(payload)));
}

test("what is due comes due as an event in its subject's group, what is not stays planned", async () => {
  const [company = ""] = companies;
  await planned(company, "order-1", -HOUR);
  await planned(company, "order-2", HOUR);
  expect(await comeDue(worker)).toEqual({ claimed: 1, more: false });
  expect(await emitted()).toMatchObject([
    {
      companyId: company,
      aggregate: { type: "subject", id: "order-1" },
      data: { kind: "order.deadline", subjectId: "order-1", attempt: 0 },
    },
  ]);
});

test("the rows of every company come due, each in its own company", async () => {
  for (const company of companies) await planned(company, `of-${company}`, -HOUR);
  await comeDue(worker);
  expect(new Set((await emitted()).map(({ companyId, data }) => `${companyId} ${data.subjectId}`))).toEqual(
    new Set(companies.map((company) => `${company} of-${company}`)),
  );
});

test("four tasks that claim at once make each row come due exactly once", async () => {
  const [company = ""] = companies;
  const subjects = Array.from({ length: 60 }, (_, n) => `order-${n}`);
  for (const subject of subjects) await planned(company, subject, -HOUR);
  let more = true;
  while (more) {
    const rounds = await Promise.all(Array.from({ length: 4 }, () => comeDue(worker, 7)));
    more = rounds.some(({ claimed }) => claimed > 0);
  }
  expect((await emitted()).map(({ data }) => data.subjectId).sort()).toEqual(subjects.sort());
});

test("a row whose event cannot be written is not claimed", async () => {
  const [company = ""] = companies;
  await planned(company, "order-1", -HOUR);
  await everything.pool.query("revoke insert on outbox from noren_app");
  try {
    await expect(comeDue(worker)).rejects.toThrow("permission denied");
  } finally {
    await everything.pool.query("grant insert on outbox to noren_app");
  }
  expect((await comeDue(worker)).claimed).toBe(1);
});

test("the clock finds a row within a second, and is healthy while it can", async () => {
  const [company = ""] = companies;
  const clock = startClock({ database: worker, log: logger("test"), everyMs: 20 });
  try {
    await planned(company, "order-1", -HOUR);
    await vi.waitFor(async () => expect(await emitted()).toHaveLength(1));
    expect(clock.health().ok).toBe(true);
  } finally {
    await clock.stop();
  }
});

test("a clock that cannot reach its database is not healthy", async () => {
  const lost = testing.connect("worker_scheduled");
  await lost.close();
  const clock = startClock({ database: lost, log: logger("test"), everyMs: 5 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(clock.health()).toMatchObject({ ok: false, detail: { lastRoundAt: null } });
  await clock.stop();
});
