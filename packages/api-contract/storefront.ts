import { z } from "zod";
import { route } from "./route.ts";
import { condition, email, id, instant, name, qty, taxGroup, yen } from "./values.ts";

/** Where an order goes. Everything is required by the carrier, the building aside. */
export const shipTo = z.object({
  name,
  postalCode: z.string().regex(/^\d{3}-?\d{4}$/),
  prefecture: z.string().min(2).max(10),
  city: z.string().min(1).max(100),
  line1: z.string().min(1).max(200),
  line2: z.string().max(200).optional(),
  phone: z.string().regex(/^0[\d-]{8,13}$/),
});
export type ShipTo = z.infer<typeof shipTo>;

/** An item in one condition as the storefront sells it: one price, the stock of all shipping stores together. */
const offer = z.object({
  condition: z.object({ code: z.string(), name }),
  priceYen: yen,
  /** What can be ordered now, safety stock already taken off. */
  available: yen,
});

const category = z.object({ id, name });

const catalogueEntry = z.object({
  itemId: id,
  code: z.string(),
  name,
  category: category.nullable(),
  /** The cheapest offer that is available, or the cheapest of all while none is. */
  fromYen: yen,
  available: yen,
  offers: z.array(offer),
});
export type CatalogueEntry = z.infer<typeof catalogueEntry>;

const orderLineInput = z.object({ itemId: id, condition, qty });

/** What a basket costs and whether it can be had: the confirm page shows it, and placing the order computes the same. */
const quote = z.object({
  lines: z.array(
    z.object({
      itemId: id,
      condition: z.object({ code: z.string(), name }),
      name,
      qty,
      unitPriceYen: yen,
      amountYen: yen,
      ratePct: z.int(),
      available: yen,
    }),
  ),
  shippingYen: yen,
  taxes: z.array(taxGroup),
  totalYen: yen,
  /** False where one line wants more than there is: the order would be refused. */
  orderable: z.boolean(),
  /** When a bank transfer would have to arrive if it were ordered now. */
  deadline: instant,
});
export type Quote = z.infer<typeof quote>;

export const orderState = z.enum([
  "awaiting_payment",
  "paid",
  "short",
  "picking",
  "shipped",
  "completed",
  "expired",
  "cancelling",
  "cancelled",
]);
export type OrderState = z.infer<typeof orderState>;

export const storefront = route({
  method: "get",
  path: "/storefront",
  summary: "The company behind a host name or a company code",
  for: "ec",
  scope: "none",
  query: z.object({ host: z.string().max(253).optional(), companyCode: z.string().max(64).optional() }),
  status: 200,
  answer: z.object({
    company: z.object({
      id,
      code: z.string(),
      name,
      invoiceNo: z.string().nullable(),
      antiquePermitNo: z.string().nullable(),
      antiqueAuthority: z.string().nullable(),
    }),
    categories: z.array(category),
  }),
});

export const catalogue = route({
  method: "get",
  path: "/catalogue",
  summary: "Items with their offers, 24 a page, by name",
  for: "ec",
  scope: "company",
  query: z.object({
    q: z.string().trim().max(100).optional(),
    category: id.optional(),
    page: z.coerce.number().int().min(1).max(1_000).default(1),
  }),
  status: 200,
  answer: z.object({
    items: z.array(catalogueEntry),
    page: z.int(),
    pages: z.int(),
    /** Counted to 1,000 only; `more` says that there are more. */
    total: z.int(),
    more: z.boolean(),
  }),
});

export const catalogueItem = route({
  method: "get",
  path: "/catalogue/{itemId}",
  summary: "One item with its offers and the stores that have it",
  for: "ec",
  scope: "company",
  params: z.object({ itemId: id }),
  status: 200,
  answer: catalogueEntry.extend({
    maker: z.string().nullable(),
    releasedOn: z.iso.date().nullable(),
    listPriceYen: yen.nullable(),
    offers: z.array(offer.extend({ stores: z.array(z.object({ name, available: yen })) })),
  }),
});

export const quoteOrder = route({
  method: "post",
  path: "/quotes",
  summary: "Price a basket without ordering it",
  for: "ec",
  scope: "company",
  body: z.object({ lines: z.array(orderLineInput).min(1).max(50) }),
  status: 200,
  answer: quote,
});

export const placeOrder = route({
  method: "post",
  path: "/orders",
  summary: "Place an order: all lines are reserved in this request, or none",
  for: "ec",
  scope: "company",
  once: "orderId",
  body: z.object({
    orderId: id,
    lines: z.array(orderLineInput).min(1).max(50),
    shipTo,
    email,
    method: z.literal("bank_transfer"),
    /** The total that the shopper saw; the order is refused (`price_changed`) if it is no longer that. */
    shownTotalYen: yen.optional(),
  }),
  status: 201,
  answer: z.object({ orderId: id, no: z.string(), token: z.string(), deadline: instant, totalYen: yen }),
});

export const readOrder = route({
  method: "get",
  path: "/orders/{no}",
  summary: "An order's status for who holds its token, or knows its e-mail address",
  for: "ec",
  scope: "company",
  params: z.object({ no: z.string().min(1).max(40) }),
  query: z.object({ token: z.string().max(200).optional(), email: z.string().max(254).optional() }),
  status: 200,
  answer: z.object({
    no: z.string(),
    state: orderState,
    placedAt: instant,
    deadline: instant.nullable(),
    method: z.string(),
    lines: z.array(
      z.object({ name, condition: z.string(), qty, unitPriceYen: yen, amountYen: yen, ratePct: z.int() }),
    ),
    shippingYen: yen,
    taxes: z.array(taxGroup),
    totalYen: yen,
    shipTo,
  }),
});
