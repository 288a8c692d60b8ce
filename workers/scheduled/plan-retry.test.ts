import { type Database, inCompany } from "@noren/database";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { newId, notificationFailed } from "@noren/events";
import { logger } from "@noren/service";
import { afterAll, beforeAll, expect, test } from "vitest";
import { planRetry } from "./plan-retry.ts";

const companyId = newId();
const occurredAt = "2026-11-24T03:00:00.000Z";
let testing: TestDatabase;
let worker: Database;

beforeAll(async () => {
  testing = await testDatabase();
  worker = testing.connect("worker_scheduled");
  await inCompany(testing.owner, companyId, (tx) =>
    tx.insertInto("companies").values({ id: companyId, code: "noren-do", name: "のれん堂" }).execute(),
  );
});
afterAll(() => testing.drop());

async function notification(state: "failed" | "sent", attempts: number): Promise<string> {
  const id = newId();
  const row = {
    company_id: companyId,
    id,
    kind: "receipt",
    recipient: "a@example.com",
    dedupe_key: id,
    attempts,
  };
  await inCompany(testing.owner, companyId, (tx) =>
    tx
      .insertInto("notifications")
      .values({ ...row, state, sent_at: state === "sent" ? new Date() : null })
      .execute(),
  );
  return id;
}

async function plannedAfterFailureOf(notificationId: string): Promise<(string | number)[][]> {
  const event = notificationFailed.create({
    companyId,
    aggregateId: "recipient",
    occurredAt,
    data: { notificationId, kind: "receipt", channel: "email", code: "SendingPausedException" },
  });
  const run = planRetry.prepare(event);
  const context = { log: logger("test"), signal: new AbortController().signal, attempt: 1 };
  // Twice, as a replay would: it must not plan a second row.
  for (const _ of [1, 2]) await inCompany(worker, companyId, (tx) => run({ ...context, tx }));
  const rows = await inCompany(testing.owner, companyId, (tx) =>
    tx.selectFrom("schedules").selectAll().where("subject_id", "=", notificationId).execute(),
  );
  return rows.map(({ kind, due_at, attempt }) => [kind, due_at.toISOString(), attempt]);
}

test.each([
  [1, "2026-11-24T03:10:00.000Z"],
  [2, "2026-11-24T04:00:00.000Z"],
  [3, "2026-11-24T09:00:00.000Z"],
])("after %i refusals the mail is tried again at %s", async (attempts, dueAt) => {
  expect(await plannedAfterFailureOf(await notification("failed", attempts))).toEqual([
    ["notification.retry", dueAt, attempts],
  ]);
});

test("after the fourth refusal the mail is given up", async () => {
  expect(await plannedAfterFailureOf(await notification("failed", 4))).toEqual([]);
});

test("a mail that went out in the meantime is not tried again", async () => {
  expect(await plannedAfterFailureOf(await notification("sent", 2))).toEqual([]);
});
