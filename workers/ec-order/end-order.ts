import { type Tx, emit, writeStock } from "@noren/database";
import { type Envelope, paymentRefundDue } from "@noren/events";
import { sql } from "kysely";

export type Ending = {
  orderId: string;
  to: "expired" | "cancelled" | "cancelling";
  reason: string;
  causation: Envelope;
};

/**
 * Ends a locked order as it was decided: its goods are for sale again, a payment that nobody made is closed, shipments that
 * nobody started are off, and money that is in is announced to go back. Returns the order's new version.
 */
export async function endOrder(tx: Tx, { orderId, to, reason, causation }: Ending): Promise<number> {
  const { version } = await tx
    .updateTable("orders")
    .set({ state: to, version: sql`version + 1`, reason, updated_at: sql`now()` })
    .where("id", "=", orderId)
    .returning("version")
    .executeTakeFirstOrThrow();
  await tx
    .updateTable("payments")
    .set({ state: to === "expired" ? "expired" : "cancelled" })
    .where("order_id", "=", orderId)
    .where("state", "=", "pending")
    .execute();
  await tx
    .updateTable("shipments")
    .set({ state: "cancelled" })
    .where("order_id", "=", orderId)
    .where("state", "in", ["planned", "picking"])
    .execute();
  await writeStock(tx, causation.companyId, {
    cause: { type: "order", id: orderId },
    causation,
    release: { type: "order", id: orderId },
  });
  await giveBack(tx, orderId, causation);
  return version;
}

/** Only a card's money goes back by itself; a bank transfer or a convenience store's needs a person. */
async function giveBack(tx: Tx, orderId: string, causation: Envelope): Promise<void> {
  const payments = await tx
    .selectFrom("payments")
    .select(["id", "method", "captured_yen", "refunded_yen"])
    .where("order_id", "=", orderId)
    .whereRef("captured_yen", ">", "refunded_yen")
    .orderBy("id")
    .execute();
  const due = payments.map((payment) =>
    paymentRefundDue.create({
      companyId: causation.companyId,
      aggregateId: orderId,
      causation,
      data: {
        orderId,
        paymentId: payment.id,
        amountYen: payment.captured_yen - payment.refunded_yen,
        automatic: payment.method === "card",
      },
    }),
  );
  await emit(tx, ...due);
}
