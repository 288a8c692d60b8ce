import type { Tx } from "@noren/database";

/** An order and its company, as the mails about it need them. Throws when there is no such order. */
export async function orderOfMail(tx: Tx, orderId: string) {
  const order = await tx
    .selectFrom("orders")
    .innerJoin("companies", "companies.id", "orders.company_id")
    .select([
      "orders.no",
      "orders.placed_at",
      "orders.deadline",
      "orders.shipping_yen",
      "orders.total_yen",
      "orders.ship_to",
      "companies.name as company",
      "companies.contact_email",
      "companies.bank_account",
      "companies.legal",
    ])
    .where("orders.id", "=", orderId)
    .executeTakeFirstOrThrow();
  const lines = await tx
    .selectFrom("order_lines")
    .leftJoin("conditions", "conditions.code", "order_lines.condition")
    .select(["order_lines.name", "conditions.name as condition", "order_lines.qty", "order_lines.amount_yen"])
    .where("order_id", "=", orderId)
    .orderBy("line_no")
    .execute();
  const taxes = await tx
    .selectFrom("order_taxes")
    .select(["rate_pct", "gross_yen", "tax_yen"])
    .where("order_id", "=", orderId)
    .orderBy("rate_pct", "desc")
    .execute();
  return { ...order, legal: order.legal as Record<string, string | undefined>, lines, taxes };
}
