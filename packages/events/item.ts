import { z } from "zod";
import { event } from "./event.ts";
import { condition, price, taxClass, uuid } from "./fields.ts";

const item = { topic: "item", version: 1, aggregate: "item", scope: "company" } as const;

export const itemRegistered = event("item.registered", {
  ...item,
  data: z.object({
    itemId: uuid,
    code: z.string(),
    name: z.string(),
    taxClass,
    categoryId: uuid,
    conditions: z.array(condition),
    listPriceYen: price.optional(),
  }),
});

export const itemUpdated = event("item.updated", {
  ...item,
  data: z.object({ itemId: uuid, revision: z.int(), changed: z.array(z.string()) }),
});

export const itemConditionsChanged = event("item.conditions_changed", {
  ...item,
  data: z.object({ itemId: uuid, added: z.array(condition), removed: z.array(condition) }),
});

export const itemRetired = event("item.retired", { ...item, data: z.object({ itemId: uuid }) });
