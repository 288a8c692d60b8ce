import { decide } from "@noren/commerce";
import { type Tx, emit } from "@noren/database";
import { orderExpired, scheduleCameDue } from "@noren/events";
import { type Context, on } from "worker";
import { endOrder } from "./end-order.ts";
import { lockOrder } from "./lock-order.ts";

/**
 * Ends an order that was not paid in time. Only one that still waits for its money expires; one that was paid or cancelled,
 * or that has expired already, is left alone. The due row's time is the clock, so a late delivery decides the same.
 */
export const expireOrder = on(scheduleCameDue, async (event, { tx, log }: Context<Tx>) => {
  const { kind, subjectId: orderId, dueAt } = event.data;
  // Every kind of due row has the same name; the others are for other workers.
  if (kind !== "order.deadline") return;
  const order = await lockOrder(tx, orderId);
  const [decision] = decide(order, { type: "pass_deadline" }, new Date(dueAt));
  if (decision?.type !== "expired") return log.info({ orderId, decision }, "nothing expires");
  const { companyId } = event;
  const reason = "deadline";
  const seq = await endOrder(tx, { orderId, to: "expired", reason, causation: event });
  const data = { orderId, reason };
  await emit(tx, orderExpired.create({ companyId, aggregateId: orderId, seq, causation: event, data }));
});
