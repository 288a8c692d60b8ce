import { z } from "zod";
import { route } from "./route.ts";
import { condition, day, id, instant, name, qty, yen } from "./values.ts";

const text = z.string().trim().min(1).max(200);
const lineNo = z.int().min(1);

/** A buy-back as the till shows it. Of who sells, only whether it is written down: nobody reads the rest here. */
const buybackDocument = z.object({
  buybackId: id,
  state: z.enum(["appraised", "agreed", "paid_out", "declined"]),
  appraisedAt: instant,
  lines: z.array(
    z.object({
      lineNo,
      itemId: id,
      name,
      condition,
      features: z.string().nullable(),
      qty: z.int(),
      unitPriceYen: yen,
      amountYen: yen,
      /** Null until the seller has agreed. */
      accepted: z.boolean().nullable(),
    }),
  ),
  /** Of every line until the seller agrees, then of what was accepted. */
  totalYen: yen,
  /** `why`: each reason in words, as soon as it arises; `recorded`: whether the seller's identity is written down. */
  identity: z.object({ duty: z.boolean(), why: z.array(z.string()), recorded: z.boolean() }),
  paidAt: instant.nullable(),
  declineReason: z.string().nullable(),
});
export type BuybackDocument = z.infer<typeof buybackDocument>;

export const appraiseBuyback = route({
  method: "post",
  path: "/buybacks",
  summary: "Offer a price for goods that somebody brings; the answer says whether identity will be needed",
  for: "pos",
  scope: "staff",
  once: "buybackId",
  body: z.object({
    buybackId: id,
    lines: z
      .array(
        z.object({
          itemId: id,
          condition,
          /** What tells this piece from another (特徴): the antique ledger wants it. */
          features: text.optional(),
          qty,
          unitPriceYen: yen.max(10_000_000),
        }),
      )
      .min(1)
      .max(200),
  }),
  status: 201,
  answer: buybackDocument,
});

export const readBuyback = route({
  method: "get",
  path: "/buybacks/{id}",
  summary: "A buy-back of this store",
  for: "pos",
  scope: "staff",
  params: z.object({ id }),
  status: 200,
  answer: buybackDocument,
});

export const agreeBuyback = route({
  method: "post",
  path: "/buyback-agreements",
  summary: "The seller agrees to the offer, to all of its lines or to some",
  for: "pos",
  scope: "staff",
  once: "header",
  body: z.object({
    buybackId: id,
    /** Absent: all of them. */
    acceptedLines: z.array(lineNo).min(1).max(200).optional(),
  }),
  status: 201,
  answer: buybackDocument,
});

export const identifySeller = route({
  method: "post",
  path: "/buyback-identities",
  summary: "Write down who sells and how that was checked; a further record corrects the one before",
  for: "pos",
  scope: "staff",
  once: "identityId",
  body: z.object({
    identityId: id,
    buybackId: id,
    name: text,
    address: text,
    occupation: text,
    birthDate: day,
    documentKind: z.enum([
      "driving_licence",
      "my_number_card",
      "passport",
      "residence_card",
      "health_insurance",
      "student_id",
      "other",
    ]),
    /** Refused for the My Number card and for health insurance: the law forbids to keep these numbers. */
    documentNo: z.string().trim().min(1).max(64).optional(),
    /** Who consented for a minor, and how that was checked. */
    guardianConsent: text.optional(),
  }),
  status: 201,
  answer: buybackDocument,
});

export const payOutBuyback = route({
  method: "post",
  path: "/buyback-payouts",
  summary: "Pay an agreed buy-back out of the drawer: once, and not without the identity that it needs",
  for: "pos",
  scope: "staff",
  once: "payoutId",
  body: z.object({ payoutId: id, buybackId: id }),
  status: 201,
  answer: buybackDocument,
});

export const declineBuyback = route({
  method: "post",
  path: "/buyback-declines",
  summary: "End a buy-back without buying, and note where the police must be told",
  for: "pos",
  scope: "staff",
  once: "header",
  body: z.object({ buybackId: id, reason: text, policeReport: z.boolean().default(false) }),
  status: 201,
  answer: buybackDocument,
});
