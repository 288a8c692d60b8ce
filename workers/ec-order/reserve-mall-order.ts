import { type Shipment, allocate, decide } from "@noren/commerce";
import { type Tx, emit, storeStock, writeStock } from "@noren/database";
import { type Envelope, newId, orderImported, orderPaid, orderShort } from "@noren/events";
import { sql } from "kysely";
import { type Context, on } from "worker";
import { lockOrder } from "./lock-order.ts";

/** How often the stores are looked at anew when somebody else was faster. */
const LOOKS = 3;

/**
 * Reserves what a mall has sold. All lines or none: what cannot be had makes the order short, for a person to answer the
 * mall. A paid order that has its goods gets its shipments at once. An order that is past that is left alone.
 */
export const reserveMallOrder = on(orderImported, async (event, { tx, log }: Context<Tx>) => {
  const { orderId, paid } = event.data;
  const { companyId } = event;
  const order = await lockOrder(tx, orderId);
  const waiting = order.state === "paid" || order.state === "awaiting_payment";
  if (!waiting || (await isReserved(tx, orderId)))
    return log.info({ orderId, state: order.state }, "mall order is reserved already, or ended");

  const shipments = await reserve(tx, event, orderId);
  const { totalYen, deadline } = order;
  const command = { type: "import", totalYen, paid, reserved: shipments !== undefined, deadline } as const;
  const [decision] = decide({ state: "new" }, command, new Date(event.occurredAt));
  if (decision?.type !== "imported")
    throw new Error(`An import was decided as ${decision?.type ?? "nothing"}.`);
  const { version: seq } = await tx
    .updateTable("orders")
    .set({ state: decision.state, version: sql`version + 1`, updated_at: sql`now()` })
    .where("id", "=", orderId)
    .returning("version")
    .executeTakeFirstOrThrow();
  const about = { companyId, aggregateId: orderId, seq, causation: event };
  if (shipments === undefined) {
    await emit(tx, orderShort.create({ ...about, data: { orderId, reason: "在庫がありません" } }));
  } else if (decision.state === "paid") {
    await planShipments(tx, companyId, orderId, shipments);
    await emit(tx, orderPaid.create({ ...about, data: { orderId, shipments } }));
  }
});

async function isReserved(tx: Tx, orderId: string): Promise<boolean> {
  const reservation = await tx
    .selectFrom("reservations")
    .select("id")
    .where("owner_type", "=", "order")
    .where("owner_id", "=", orderId)
    .limit(1)
    .executeTakeFirst();
  return reservation !== undefined;
}

/** The shipments whose goods are now reserved, or undefined when the stores do not have everything. */
async function reserve(tx: Tx, causation: Envelope, orderId: string): Promise<Shipment[] | undefined> {
  const lines = await tx
    .selectFrom("order_lines")
    .select(["line_no as lineNo", "item_id as itemId", "condition", "qty"])
    .where("order_id", "=", orderId)
    .orderBy("line_no")
    .execute();
  // A line without an item is something that we do not sell.
  const asks = lines.flatMap(({ itemId, condition, ...line }) =>
    itemId === null || condition === null ? [] : [{ ...line, itemId, condition }],
  );
  if (asks.length < lines.length) return undefined;
  for (let look = 1; look <= LOOKS; look += 1) {
    const allocation = allocate(asks, await storeStock(tx, [...new Set(asks.map(({ itemId }) => itemId))]));
    if ("missing" in allocation) return undefined;
    const reserved = await writeStock(tx, causation.companyId, {
      cause: { type: "order", id: orderId },
      causation,
      reserve: {
        owner: { type: "order", id: orderId },
        lines: allocation.shipments.flatMap((shipment) => shipment.lines),
        ifAvailable: true,
      },
    });
    if (reserved.ok) return allocation.shipments;
  }
  return undefined;
}

/** The pick lists: one shipment for each store, in its own order of lines. */
async function planShipments(
  tx: Tx,
  companyId: string,
  orderId: string,
  shipments: Shipment[],
): Promise<void> {
  for (const { storeId, lines } of shipments) {
    const id = newId();
    const company = { company_id: companyId };
    await tx
      .insertInto("shipments")
      .values({ ...company, id, order_id: orderId, store_id: storeId })
      .execute();
    await tx
      .insertInto("shipment_lines")
      .values(
        lines.map(({ lineNo, productId, qty }, index) => ({
          ...company,
          shipment_id: id,
          line_no: index + 1,
          order_line_no: lineNo,
          product_id: productId,
          qty,
        })),
      )
      .execute();
  }
}
