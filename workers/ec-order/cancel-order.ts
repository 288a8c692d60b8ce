import { decide } from "@noren/commerce";
import { type Tx, emit } from "@noren/database";
import { orderCancelRequested, orderCancelled } from "@noren/events";
import { type Context, on } from "worker";
import { endOrder } from "./end-order.ts";
import { lockOrder } from "./lock-order.ts";

/**
 * Cancels an order where its state allows it. One that has our money in it is `cancelling` until the money is back; a
 * mall's order has none: the mall took it and gives it back itself.
 */
export const cancelOrder = on(orderCancelRequested, async (event, { tx, log }: Context<Tx>) => {
  const { orderId, by, reason } = event.data;
  const order = await lockOrder(tx, orderId);
  const [decision] = decide(order, { type: "cancel", by, reason }, new Date(event.occurredAt));
  if (decision?.type !== "cancelled" && decision?.type !== "cancelling")
    return log.warn({ orderId, decision }, "order cannot be cancelled any more; a person must decide");
  const { companyId } = event;
  const seq = await endOrder(tx, { orderId, to: decision.state, reason, causation: event });
  if (decision.type === "cancelling") return;
  const data = { orderId, reason };
  await emit(tx, orderCancelled.create({ companyId, aggregateId: orderId, seq, causation: event, data }));
});
