import type { Order, OrderState } from "@noren/commerce";
import type { Tx } from "@noren/database";
import { Unprocessable } from "worker";

/** An order, locked until the commit, as `decide` takes it. Unprocessable when its company has no such order. */
export async function lockOrder(tx: Tx, orderId: string): Promise<Extract<Order, { state: OrderState }>> {
  const order = await tx
    .selectFrom("orders")
    .select(["state", "total_yen", "deadline"])
    .where("id", "=", orderId)
    .forUpdate()
    .executeTakeFirst();
  if (!order)
    throw new Unprocessable(`Order ${orderId} is not in the database of the company that its event names.`);
  const payments = await tx
    .selectFrom("payments")
    .select(["captured_yen", "refunded_yen"])
    .where("order_id", "=", orderId)
    .execute();
  return {
    state: order.state,
    totalYen: order.total_yen,
    capturedYen: payments.reduce((sum, payment) => sum + payment.captured_yen, 0),
    refundedYen: payments.reduce((sum, payment) => sum + payment.refunded_yen, 0),
    deadline: order.deadline,
  };
}
