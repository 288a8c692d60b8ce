import { z } from "zod";
import { event } from "./event.ts";
import { condition, day, instant, price, qty, ratePct, tax, uuid, yen } from "./fields.ts";

const on = <const Aggregate extends string>(aggregate: Aggregate) =>
  ({ topic: "transaction", version: 1, aggregate, scope: "store" }) as const;

export const saleCompleted = event("sale.completed", {
  ...on("sale"),
  data: z.object({
    saleId: uuid,
    storeId: uuid,
    sessionId: uuid,
    receiptNo: z.string(),
    businessDate: day,
    /** In the order of the receipt: line n is `lines[n - 1]`. */
    lines: z.array(z.object({ productId: uuid.optional(), qty, amountYen: price, ratePct })),
    taxes: z.array(tax),
    payments: z.array(z.object({ method: z.string(), amountYen: price })),
    totalYen: price,
    email: z.email().optional(),
  }),
});

export const saleVoided = event("sale.voided", {
  ...on("sale"),
  data: z.object({ saleId: uuid, reason: z.string(), staffId: uuid }),
});

export const saleRefunded = event("sale.refunded", {
  ...on("sale"),
  data: z.object({
    saleId: uuid,
    refundId: uuid,
    /** `lineNo` is the sale's; a line without a product (a free line) moves no stock. */
    lines: z.array(
      z.object({
        lineNo: z.int().positive(),
        productId: uuid.optional(),
        qty,
        amountYen: price,
        restock: z.boolean(),
      }),
    ),
    taxes: z.array(tax),
    totalYen: price,
  }),
});

export const salePaymentUncertain = event("sale.payment_uncertain", {
  ...on("sale"),
  data: z.object({ saleId: uuid, paymentId: uuid, amountYen: price, attempt: z.int() }),
});

export const salePaymentResolved = event("sale.payment_resolved", {
  ...on("sale"),
  data: z.object({
    saleId: uuid,
    paymentId: uuid,
    outcome: z.enum(["approved", "declined"]),
    reversed: z.boolean(),
  }),
});

const buybackLine = z.object({ itemId: uuid, condition, qty, unitYen: price });

export const buybackAppraised = event("buyback.appraised", {
  ...on("buyback"),
  data: z.object({ buybackId: uuid, lines: z.array(buybackLine), totalYen: price, validUntil: instant }),
});

export const buybackPaidOut = event("buyback.paid_out", {
  ...on("buyback"),
  data: z.object({
    buybackId: uuid,
    sessionId: uuid,
    lines: z.array(buybackLine),
    totalYen: price,
    identityDuty: z.boolean(),
  }),
});

export const buybackDeclined = event("buyback.declined", {
  ...on("buyback"),
  data: z.object({ buybackId: uuid, reason: z.string() }),
});

export const registerOpened = event("register.opened", {
  ...on("register-session"),
  data: z.object({ sessionId: uuid, storeId: uuid, floatYen: price }),
});

export const registerClosed = event("register.closed", {
  ...on("register-session"),
  data: z.object({
    sessionId: uuid,
    storeId: uuid,
    expectedYen: yen,
    countedYen: price,
    differenceYen: yen,
    denominations: z.record(z.string(), z.int().nonnegative()),
  }),
});

export const storeDayClosed = event("store.day_closed", {
  ...on("store"),
  data: z.object({
    storeId: uuid,
    businessDate: day,
    totals: z.object({ salesCount: z.int(), grossYen: yen, taxYen: yen }),
  }),
});
