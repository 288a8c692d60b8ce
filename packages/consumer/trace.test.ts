import { emit, inCompany } from "@noren/database";
import { openShop } from "@noren/database/fixture";
import { type TestDatabase, testDatabase } from "@noren/database/testing";
import { itemRegistered, newId, productClosed } from "@noren/events";
import { inSpan, logger, startTracing, stopTracing } from "@noren/service";
import { afterAll, beforeAll, expect, test } from "vitest";
import { on } from "worker";
import { traced } from "./consume.ts";

let testing: TestDatabase;

beforeAll(async () => {
  testing = await testDatabase();
  await startTracing("test");
});
afterAll(async () => {
  await stopTracing();
  await testing.drop();
});

test("one trace runs from a request through the outbox into the handler, and on in what the handler emits", async () => {
  const shop = await openShop(testing);
  await testing.connect("postgres").pool.query("delete from outbox");
  const product = { ...shop, itemId: newId(), condition: "A", priceYen: 100 };
  const closed = () =>
    productClosed.create({
      companyId: shop.companyId,
      storeId: shop.storeId,
      aggregateId: shop.productId,
      data: { ...product, productId: shop.productId, storeId: shop.storeId },
    });
  const written = async () => {
    const { rows } = await testing
      .connect("postgres")
      .pool.query<{ traceparent: string; payload: string }>(
        "select traceparent, payload from outbox order by id",
      );
    return rows.map(({ traceparent, payload }) => {
      const envelope = JSON.parse(payload) as { traceparent: string };
      expect(envelope.traceparent).toBe(traceparent);
      return { trace: traceparent.split("-")[1], span: traceparent.split("-")[2], envelope };
    });
  };

  await inSpan("POST", () => inCompany(testing.owner, shop.companyId, (tx) => emit(tx, closed())));
  const [first] = await written();
  expect(first?.trace).toMatch(/^[0-9a-f]{32}$/);

  const handler = traced(
    on(productClosed, () => inCompany(testing.owner, shop.companyId, (tx) => emit(tx, closed()))),
  );
  const run = handler.prepare(first?.envelope as never);
  await run({ tx: undefined, log: logger("test"), signal: AbortSignal.timeout(5000), attempt: 1 });
  const [, second] = await written();
  expect(second?.trace).toBe(first?.trace);
  expect(second?.span).not.toBe(first?.span);
});

test("outside of every span an event keeps the trace that it was given", async () => {
  const companyId = newId();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const { itemId, ...item } = {
    itemId: newId(),
    code: "2000000000015",
    name: "煎餅",
    taxClass: "standard" as const,
    categoryId: newId(),
    conditions: ["new"],
  };
  await inCompany(testing.owner, companyId, (tx) =>
    emit(
      tx,
      itemRegistered.create({ companyId, aggregateId: itemId, data: { itemId, ...item }, traceparent }),
    ),
  );
  const { rows } = await testing
    .connect("postgres")
    .pool.query("select traceparent from outbox where group_id = $1", [itemId]);
  expect(rows).toEqual([{ traceparent }]);
});
