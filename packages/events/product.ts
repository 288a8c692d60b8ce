import { z } from "zod";
import { event } from "./event.ts";
import { cause, condition, instant, price, qty, uuid } from "./fields.ts";

const product = { topic: "product", version: 1, aggregate: "product", scope: "store" } as const;
const offered = z.object({ productId: uuid, itemId: uuid, storeId: uuid, condition, priceYen: price });

export const productOpened = event("product.opened", { ...product, data: offered });

export const productClosed = event("product.closed", { ...product, data: offered });

export const productDetailsChanged = event("product.details_changed", {
  ...product,
  data: z.object({ productId: uuid, name: z.string(), revision: z.int() }),
});

export const productStockReceived = event("product.stock_received", {
  ...product,
  data: z.object({
    productId: uuid,
    receiptId: uuid,
    lineNo: z.int().positive(),
    qty,
    unitCostYen: price,
    source: z.string(),
  }),
});

export const productStockCounted = event("product.stock_counted", {
  ...product,
  data: z.object({
    productId: uuid,
    stocktakeId: uuid,
    countedQty: z.int().nonnegative(),
    countedAt: instant,
  }),
});

export const productPriceChanged = event("product.price_changed", {
  ...product,
  data: z.object({ productId: uuid, fromYen: price, toYen: price, reason: z.string() }),
});

export const productStockChanged = event("product.stock_changed", {
  ...product,
  data: z.object({
    productId: uuid,
    onHand: z.int(),
    reserved: z.int().nonnegative(),
    available: z.int(),
    seq: z.int(),
    cause,
  }),
});

export const productShortageFound = event("product.shortage_found", {
  ...product,
  data: z.object({ productId: uuid, missingQty: qty, cause }),
});
