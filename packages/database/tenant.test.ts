import { newId, registerOpened, scheduleCameDue } from "@noren/events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { connect, databaseEnv, type Database } from "./connect.ts";
import { emit } from "./emit.ts";
import { openShop, type Shop } from "./fixture.ts";
import { hashPin, verifyPin } from "./pin.ts";
import { callOff, claimDue, companiesWithDueSchedules, plan } from "./schedules.ts";
import { inCompany, tenantTransaction } from "./tenant.ts";
import { testDatabase, type TestDatabase } from "./testing.ts";

let database: TestDatabase;
let worker: Database;
let shop: Shop;
beforeAll(async () => {
  database = await testDatabase();
  worker = database.connect("worker_scheduled");
  shop = await openShop(database);
});
afterAll(() => database.drop());

describe("the transaction of a handler", () => {
  test("sees the event's company, on the connection it was given, until that ends", async () => {
    const client = await worker.pool.connect();
    try {
      await client.query("begin");
      const tx = await tenantTransaction(client, { companyId: shop.companyId });
      const [seen] = await tx.selectFrom("stores").select("id").execute();
      expect(seen?.id).toBe(shop.storeId);
      await tx.updateTable("stores").set({ phone: "03-1111-2222" }).execute();
      await client.query("rollback");
      expect((await client.query("select id from stores")).rows).toEqual([]);
    } finally {
      client.release();
    }
    const [store] = await inCompany(worker, shop.companyId, (tx) =>
      tx.selectFrom("stores").select("phone").execute(),
    );
    expect(store?.phone).toBeNull();
  });

  test("leaves the connection usable after a statement that failed", async () => {
    const client = await worker.pool.connect();
    try {
      await client.query("begin");
      const tx = await tenantTransaction(client, { companyId: shop.companyId });
      const twice = { company_id: shop.companyId, id: shop.storeId, code: "x", name: "x" };
      await expect(tx.insertInto("stores").values(twice).execute()).rejects.toThrow("duplicate key");
      await client.query("rollback");
      expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    } finally {
      client.release();
    }
  });
});

describe("events", () => {
  const opened = (companyId: string) =>
    registerOpened.create({
      companyId,
      storeId: shop.storeId,
      aggregateId: newId(),
      data: { sessionId: newId(), storeId: shop.storeId, floatYen: 0 },
    });
  const waiting = async (groupId: string) => {
    const { rows } = await database
      .connect("backend_outbox", { max: 1 })
      .pool.query(
        "select topic, tenant, group_id, event_id, type, version, payload from outbox where group_id = $1",
        [groupId],
      );
    return rows as Record<string, unknown>[];
  };

  test("leave with the transaction that wrote them, whole, counted against their store", async () => {
    const event = opened(shop.companyId);
    await inCompany(worker, shop.companyId, (tx) => emit(tx, event));
    expect(await waiting(event.aggregate.id)).toEqual([
      {
        topic: "transaction",
        tenant: shop.storeId,
        group_id: event.aggregate.id,
        event_id: event.id,
        type: "register.opened",
        version: 1,
        payload: JSON.stringify(event),
      },
    ]);
  });

  test("do not leave when it fails", async () => {
    const event = opened(shop.companyId);
    const failing = inCompany(worker, shop.companyId, async (tx) => {
      await emit(tx, event);
      throw new Error("power cut");
    });
    await expect(failing).rejects.toThrow("power cut");
    expect(await waiting(event.aggregate.id)).toEqual([]);
  });

  test("of a company, with a store named or not, count against the company: one group, one line", async () => {
    const subjectId = newId();
    const due = (storeId?: string) =>
      scheduleCameDue.create({
        companyId: shop.companyId,
        storeId,
        aggregateId: subjectId,
        data: { kind: "order.deadline", subjectId, dueAt: "2026-11-24T00:00:00.000Z", attempt: 0 },
      });
    await inCompany(worker, shop.companyId, (tx) => emit(tx, due(), due(shop.storeId)));
    expect((await waiting(subjectId)).map(({ tenant }) => tenant)).toEqual([shop.companyId, shop.companyId]);
  });

  test("that nobody defined are refused", async () => {
    const unknown = { ...opened(shop.companyId), type: "register.exploded" };
    await expect(inCompany(worker, shop.companyId, (tx) => emit(tx, unknown))).rejects.toThrow("Define it");
  });
});

describe("due rows", () => {
  const past = new Date("2026-01-01T00:00:00Z");
  const order = (at: Date, subjectId: string = newId()) => ({
    kind: "order.deadline" as const,
    subjectId,
    dueAt: at,
  });

  test("come due once, oldest first, and not before their time", async () => {
    const rows = [
      order(new Date(past.getTime() + 1000)),
      order(past),
      order(new Date("2100-01-01T00:00:00Z")),
    ];
    await inCompany(worker, shop.companyId, async (tx) => {
      for (const row of rows) await plan(tx, shop.companyId, row);
      for (const row of rows) await plan(tx, shop.companyId, row);
    });
    expect(await companiesWithDueSchedules(worker)).toEqual([shop.companyId]);
    const due = await inCompany(worker, shop.companyId, (tx) => claimDue(tx));
    expect(due.map(({ subjectId }) => subjectId)).toEqual([rows[1]?.subjectId, rows[0]?.subjectId]);
    expect(await inCompany(worker, shop.companyId, (tx) => claimDue(tx))).toEqual([]);
    expect(await companiesWithDueSchedules(worker)).toEqual([]);
  });

  test("that were called off do not come due", async () => {
    const row = order(past);
    await inCompany(worker, shop.companyId, async (tx) => {
      await plan(tx, shop.companyId, row);
      await callOff(tx, "order.deadline", row.subjectId);
    });
    expect(await inCompany(worker, shop.companyId, (tx) => claimDue(tx))).toEqual([]);
  });

  test("are claimed by one of many tasks, and come back when it fails", async () => {
    const subjects = Array.from({ length: 50 }, () => newId());
    await inCompany(worker, shop.companyId, async (tx) => {
      for (const subject of subjects) await plan(tx, shop.companyId, order(past, subject));
    });
    const failing = inCompany(worker, shop.companyId, async (tx) => {
      expect(await claimDue(tx, 10)).toHaveLength(10);
      throw new Error("power cut");
    });
    await expect(failing).rejects.toThrow("power cut");
    const claims = await Promise.all(
      Array.from({ length: 8 }, () => inCompany(worker, shop.companyId, (tx) => claimDue(tx, 20))),
    );
    const rest = await inCompany(worker, shop.companyId, (tx) => claimDue(tx));
    const claimed = [...claims.flat(), ...rest].map(({ subjectId }) => subjectId);
    expect(claimed.sort()).toEqual(subjects.sort());
  });
});

describe("a connection", () => {
  test("is made from the variables of a manifest", async () => {
    const { host, port, name } = database.settings;
    const env = z.object(databaseEnv).parse({
      DATABASE_HOST: host,
      DATABASE_PORT: String(port),
      DATABASE_NAME: name,
      DATABASE_USER: "worker_item",
    });
    const item = connect(env, { max: 2 });
    const { rows } = await item.pool.query(
      "select current_user as name, current_setting('application_name') as app",
    );
    expect(rows).toEqual([{ name: "worker_item", app: "worker_item" }]);
    await item.close();
  });

  test("that the server ends, idle or busy, ends a query and not the process", async () => {
    const victim = connect({ ...database.settings, user: "worker_item" }, { max: 2 });
    const killer = database.connect("postgres", { max: 1 });
    const kill = () =>
      killer.pool.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'worker_item'",
      );
    const asleep = () =>
      killer.pool.query(
        "select 1 from pg_stat_activity where usename = 'worker_item' and wait_event = 'PgSleep'",
      );
    // A query may still get the dead connection; that is its error to retry. The one after it must not.
    const works = () =>
      victim.pool.query("select 1 as one").then(
        ({ rows }) => rows as object[],
        () => [],
      );
    expect(await works()).toEqual([{ one: 1 }]);
    await kill();
    await expect.poll(works).toEqual([{ one: 1 }]);
    const sleeping = victim.pool.query("select pg_sleep(30)");
    const ended = sleeping.then(
      () => "slept",
      (error: Error) => error.message,
    );
    await expect.poll(async () => (await asleep()).rowCount).toBe(1);
    await kill();
    expect(await ended).toMatch(/terminat/);
    await expect.poll(works).toEqual([{ one: 1 }]);
    await victim.close();
  });

  test("gives yen as numbers, days as text and instants as dates", async () => {
    const { rows } = await worker.pool.query(
      "select 9007199254740991::bigint as yen, sum(x)::numeric as sum, '2026-11-24'::date as day, 'epoch'::timestamptz as at from (values (1), (2)) v (x)",
    );
    expect(rows).toEqual([{ yen: 9_007_199_254_740_991, sum: 3, day: "2026-11-24", at: new Date(0) }]);
    await expect(worker.pool.query("select 9007199254740993::bigint")).rejects.toThrow("cannot hold exactly");
  });
});

describe("a PIN", () => {
  test("is right or wrong, by a salted hash that shows nothing of it", async () => {
    const [hash, again] = [await hashPin("482913"), await hashPin("482913")];
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(again).not.toBe(hash);
    expect(await verifyPin("482913", hash)).toBe(true);
    expect(await verifyPin("482914", hash)).toBe(false);
  });

  test("of nobody is wrong, in the time of a real one", async () => {
    expect(await verifyPin("482913", undefined)).toBe(false);
    await expect(verifyPin("482913", "plain text")).rejects.toThrow("not in the form");
  });
});
