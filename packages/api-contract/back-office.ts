import { z } from "zod";
import { route } from "./route.ts";
import { condition, id, name, qty, taxClass, yen } from "./values.ts";

export const registerItem = route({
  method: "post",
  path: "/items",
  summary: "Register an item of the catalogue; its products open a moment later",
  for: "pos",
  scope: "staff",
  once: "header",
  body: z.object({
    code: z.string().trim().min(1).max(32),
    name,
    kana: z.string().trim().max(200).optional(),
    categoryId: id.optional(),
    taxClass: taxClass.optional(),
    conditions: z.array(condition).min(1).max(10),
    listPriceYen: yen.max(100_000_000).optional(),
  }),
  status: 201,
  answer: z.object({ itemId: id, code: z.string() }),
});

export const receiveStock = route({
  method: "post",
  path: "/receivings",
  summary: "Receive goods of a supplier; the stock ledger follows a moment later",
  for: "pos",
  scope: "staff",
  once: "header",
  body: z.object({
    supplierName: z.string().trim().max(200).optional(),
    lines: z
      .array(z.object({ productId: id, qty, unitCostYen: yen.max(100_000_000) }))
      .min(1)
      .max(200),
  }),
  status: 201,
  answer: z.object({ receivingId: id }),
});
