import type { TaxClass } from "@noren/api-contract";
import { type Tx, emit } from "@noren/database";
import { itemRegistered, newId } from "@noren/events";
import { sql } from "kysely";
import { operation } from "./operation.ts";
import { Refusal, notFound } from "./refusal.ts";

/** Adds an item to the catalogue. worker-item opens its products, so it can be sold a moment later. */
export const registerItem = operation("registerItem", async ({ tx, caller, body }) => {
  const { companyId } = caller;
  const conditions = [...new Set(body.conditions)];
  const known = await tx.selectFrom("conditions").select("code").where("code", "in", conditions).execute();
  if (known.length < conditions.length) throw notFound("登録されていない状態が含まれています。");
  const category = await categoryOf(tx, body);
  const taxClass = body.taxClass ?? category.tax_class;

  const itemId = newId();
  const added = await tx
    .insertInto("items")
    .values({
      company_id: companyId,
      id: itemId,
      code: body.code,
      name: body.name,
      kana: body.kana ?? null,
      category_id: category.id,
      tax_class: taxClass,
      list_price_yen: body.listPriceYen ?? null,
    })
    .onConflict((conflict) => conflict.columns(["company_id", "code"]).doNothing())
    .returning("id")
    .executeTakeFirst();
  if (!added) throw new Refusal(409, "code_taken", `コード ${body.code} はすでに使われています。`);
  await tx
    .insertInto("item_conditions")
    .values(conditions.map((condition) => ({ company_id: companyId, item_id: itemId, condition })))
    .execute();
  await emit(
    tx,
    itemRegistered.create({
      companyId,
      aggregateId: itemId,
      seq: 1,
      data: {
        itemId,
        code: body.code,
        name: body.name,
        taxClass,
        categoryId: category.id,
        conditions,
        ...(body.listPriceYen === undefined ? {} : { listPriceYen: body.listPriceYen }),
      },
    }),
  );
  return { itemId, code: body.code };
});

/** The category that was named, else the company's first one that is taxed alike. */
async function categoryOf(tx: Tx, { categoryId, taxClass }: { categoryId?: string; taxClass?: TaxClass }) {
  let categories = tx.selectFrom("categories").select(["id", "tax_class"]).limit(1);
  if (categoryId) categories = categories.where("id", "=", categoryId);
  else if (taxClass) categories = categories.orderBy(sql`(tax_class = ${taxClass}) desc`);
  const category = await categories.orderBy("position").executeTakeFirst();
  if (!category) throw notFound("カテゴリーが見つかりません。");
  return category;
}
