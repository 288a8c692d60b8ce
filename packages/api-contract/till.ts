import { z } from "zod";
import { route } from "./route.ts";
import { day, email, id, instant, name, qty, taxClass, taxGroup, yen } from "./values.ts";

const named = z.object({ id, code: z.string(), name });

/** An opening of a register that has not been closed. */
export const registerSession = z.object({
  id,
  registerId: id,
  businessDate: day,
  floatYen: yen,
  openedAt: instant,
  openedBy: name,
});
export type RegisterSession = z.infer<typeof registerSession>;

/** A product of the signed-in staff's own store, as the till needs it to add a line. */
export const tillProduct = z.object({
  productId: id,
  itemId: id,
  code: z.string(),
  name,
  condition: z.object({ code: z.string(), name }),
  priceYen: yen,
  taxClass,
  ratePct: z.int(),
  /** On hand minus reserved; may be below zero, which never blocks a sale at the counter. */
  available: z.int(),
});
export type TillProduct = z.infer<typeof tillProduct>;

/** One model for screen, print and mail: everything a 適格簡易請求書 must show. */
export const receiptDocument = z.object({
  saleId: id,
  /** Printed and scanned: `store-register-number`. */
  receiptNo: z.string(),
  state: z.enum(["completed", "voided"]),
  soldAt: instant,
  businessDate: day,
  /** `invoiceNo` is T and 13 digits; null where the company has not registered: then none is printed. */
  company: z.object({ name, invoiceNo: z.string().nullable() }),
  store: z.object({ name, address: z.string(), phone: z.string() }),
  registerCode: z.string(),
  staffName: z.string(),
  lines: z.array(
    z.object({
      name: z.string(),
      /** The condition's name, null for a line without one. */
      condition: z.string().nullable(),
      qty: z.int(),
      unitPriceYen: yen,
      discountYen: yen,
      amountYen: yen,
      ratePct: z.int(),
      /** Marked with ※ on the receipt. */
      reduced: z.boolean(),
    }),
  ),
  taxes: z.array(taxGroup),
  totalYen: yen,
  payments: z.array(z.object({ method: z.string(), amountYen: yen, tenderedYen: yen.nullable() })),
  changeYen: yen,
  /** True where a paper receipt needs the box for a revenue stamp (収入印紙). */
  stampDuty: z.boolean(),
  /** What has come back of it, oldest first; `lineNo` is the line's place in `lines`, from 1. */
  refunds: z.array(
    z.object({
      refundId: id,
      refundNo: z.string(),
      refundedAt: instant,
      totalYen: yen,
      lines: z.array(
        z.object({ lineNo: z.int().min(1), qty: z.int(), amountYen: yen, restock: z.boolean() }),
      ),
    }),
  ),
});
export type ReceiptDocument = z.infer<typeof receiptDocument>;

/** One model for screen, print and mail: everything a 適格返還請求書 must show, so both dates. */
export const returnDocument = z.object({
  refundId: id,
  /** The receipt's number with the refund's own after it: `honten-1-000012-R1`. */
  refundNo: z.string(),
  saleId: id,
  receiptNo: z.string(),
  soldAt: instant,
  refundedAt: instant,
  businessDate: day,
  company: receiptDocument.shape.company,
  store: receiptDocument.shape.store,
  registerCode: z.string(),
  staffName: z.string(),
  reason: z.string(),
  lines: z.array(
    z.object({
      /** The line's place on the receipt, from 1. */
      lineNo: z.int(),
      name,
      condition: z.string().nullable(),
      qty: z.int(),
      amountYen: yen,
      ratePct: z.int(),
      reduced: z.boolean(),
      /** True where the goods go back on sale. */
      restock: z.boolean(),
    }),
  ),
  taxes: z.array(taxGroup),
  totalYen: yen,
  payments: z.array(z.object({ method: z.string(), amountYen: yen })),
});
export type ReturnDocument = z.infer<typeof returnDocument>;

export const enrolDevice = route({
  method: "post",
  path: "/devices/enrol",
  summary: "Turn an enrolment code into a device token that belongs to one register",
  for: "pos",
  scope: "none",
  body: z.object({ code: z.string().trim().min(4).max(64) }),
  status: 201,
  answer: z.object({
    deviceToken: z.string(),
    company: named,
    store: named,
    register: z.object({ id, code: z.string() }),
  }),
});

export const signIn = route({
  method: "post",
  path: "/sign-in",
  summary: "Check a staff member's PIN on an enrolled device",
  for: "pos",
  scope: "none",
  body: z.object({
    deviceToken: z.string().min(20).max(200),
    staffCode: z.string().trim().min(1).max(32),
    pin: z.string().min(4).max(12),
  }),
  status: 200,
  answer: z.object({
    staff: z.object({ id, code: z.string(), name, role: z.enum(["owner", "manager", "clerk"]) }),
    company: named,
    store: named,
    register: z.object({ id, code: z.string() }),
    /** The register's open session, null where it must be opened first. */
    session: registerSession.nullable(),
  }),
});

export const openRegister = route({
  method: "post",
  path: "/register-sessions",
  summary: "Open the register with its float",
  for: "pos",
  scope: "staff",
  once: "header",
  body: z.object({ floatYen: yen.max(10_000_000) }),
  status: 201,
  answer: registerSession,
});

export const currentRegister = route({
  method: "get",
  path: "/register-sessions/current",
  summary: "The open session of this register, or null",
  for: "pos",
  scope: "staff",
  status: 200,
  answer: z.object({ session: registerSession.nullable() }),
});

export const scanProduct = route({
  method: "get",
  path: "/products/scan/{code}",
  summary: "The store's products for a scanned code, one per condition",
  for: "pos",
  scope: "staff",
  params: z.object({ code: z.string().min(1).max(64) }),
  status: 200,
  answer: z.object({ products: z.array(tillProduct) }),
});

export const searchProducts = route({
  method: "get",
  path: "/products",
  summary: "The store's products whose name, kana or code contains the words, at most 50",
  for: "pos",
  scope: "staff",
  query: z.object({ q: z.string().trim().min(1).max(100) }),
  status: 200,
  answer: z.object({ products: z.array(tillProduct) }),
});

export const completeSale = route({
  method: "post",
  path: "/sales",
  summary: "Complete a sale: the document, its reservation, its cash and its event in one transaction",
  for: "pos",
  scope: "staff",
  once: "saleId",
  body: z.object({
    saleId: id,
    lines: z
      .array(z.object({ productId: id, qty }))
      .min(1)
      .max(200),
    payments: z.array(z.object({ method: z.literal("cash"), tenderedYen: yen.max(100_000_000) })).length(1),
    email: email.optional(),
  }),
  status: 201,
  answer: receiptDocument,
});

export const refundSale = route({
  method: "post",
  path: "/refunds",
  summary: "Give money back for some of a sale: a new document of today that points at it",
  for: "pos",
  scope: "staff",
  once: "refundId",
  body: z.object({
    refundId: id,
    saleId: id,
    /** `lineNo` is the line's place on the receipt, from 1. `restock`: whether the goods can be sold again. */
    lines: z
      .array(z.object({ lineNo: z.int().min(1), qty, restock: z.boolean() }))
      .min(1)
      .max(200),
    reason: z.string().trim().min(1).max(200),
  }),
  status: 201,
  answer: returnDocument,
});

export const readSale = route({
  method: "get",
  path: "/sales/{id}",
  summary: "A sale of this store as its receipt",
  for: "pos",
  scope: "staff",
  params: z.object({ id }),
  status: 200,
  answer: receiptDocument,
});

export const listSales = route({
  method: "get",
  path: "/sales",
  summary: "The store's sales of one business date, newest first, at most 500",
  for: "pos",
  scope: "staff",
  query: z.object({ date: day.optional() }),
  status: 200,
  answer: z.object({
    businessDate: day,
    sales: z.array(
      z.object({
        saleId: id,
        receiptNo: z.string(),
        soldAt: instant,
        staffName: z.string(),
        pieces: z.int(),
        totalYen: yen,
        /** What has come back of it, on whatever day. */
        refundedYen: yen,
        state: z.enum(["completed", "voided"]),
      }),
    ),
    /** Of the sales that are not voided. */
    totalYen: yen,
    /** What was given back on this business date, for sales of whatever day. */
    refundedYen: yen,
  }),
});
