import { z } from "zod";
import { event } from "./event.ts";
import { instant, orderLine, price, qty, tax, uuid } from "./fields.ts";

const order = { topic: "ec-order", version: 1, aggregate: "order", scope: "company" } as const;
const ended = z.object({ orderId: uuid, reason: z.string().optional(), refundYen: price.optional() });
const money = z.object({ orderId: uuid, paymentId: uuid, amountYen: price });

export const orderPlaced = event("order.placed", {
  ...order,
  data: z.object({
    orderId: uuid,
    no: z.string(),
    channel: z.string(),
    lines: z.array(orderLine),
    shippingYen: price,
    taxes: z.array(tax),
    totalYen: price,
    method: z.string(),
    deadline: instant,
    email: z.email(),
    /** Secret of the order page's link. Only the mail needs it; the database keeps its hash. */
    token: z.string().optional(),
  }),
});

export const orderImported = event("order.imported", {
  ...order,
  data: z.object({
    orderId: uuid,
    mallAccountId: uuid,
    mallOrderNo: z.string(),
    lines: z.array(orderLine),
    paid: z.boolean(),
  }),
});

export const paymentCaptured = event("payment.captured", {
  ...order,
  data: money.extend({ providerEventId: z.string() }),
});

export const paymentFailed = event("payment.failed", {
  ...order,
  data: money.extend({ providerEventId: z.string() }),
});

export const paymentExpired = event("payment.expired", {
  ...order,
  data: money.extend({ providerEventId: z.string() }),
});

export const orderPaid = event("order.paid", {
  ...order,
  data: z.object({
    orderId: uuid,
    shipments: z.array(
      z.object({
        storeId: uuid,
        lines: z.array(z.object({ lineNo: z.int().positive(), productId: uuid, qty })),
      }),
    ),
  }),
});

export const orderCancelRequested = event("order.cancel_requested", {
  ...order,
  data: z.object({ orderId: uuid, by: z.enum(["customer", "staff", "mall"]), reason: z.string() }),
});

export const orderReturnReceived = event("order.return_received", {
  ...order,
  data: z.object({
    orderId: uuid,
    returnId: uuid,
    lines: z.array(z.object({ lineNo: z.int().positive(), qty, restock: z.boolean() })),
    refundYen: price,
  }),
});

export const shipmentDispatched = event("shipment.dispatched", {
  ...order,
  data: z.object({
    orderId: uuid,
    shipmentId: uuid,
    storeId: uuid,
    carrier: z.string(),
    trackingNo: z.string(),
  }),
});

export const orderShipped = event("order.shipped", { ...order, data: ended });

export const orderExpired = event("order.expired", { ...order, data: ended });

export const orderCancelled = event("order.cancelled", { ...order, data: ended });

export const orderShort = event("order.short", { ...order, data: ended });

export const paymentRefundDue = event("payment.refund_due", {
  ...order,
  data: money.extend({ automatic: z.boolean() }),
});

export const paymentRefunded = event("payment.refunded", {
  ...order,
  data: money.extend({ automatic: z.boolean() }),
});
