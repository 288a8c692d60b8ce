import { timingSafeEqual } from "node:crypto";
import { hashToken } from "@noren/database";
import { operation } from "./operation.ts";
import { notFound } from "./refusal.ts";

/** An order for who holds the link of its mail, or knows number and address. Anything else is "not found", all the same. */
export const readOrder = operation("readOrder", async ({ tx, params, query }) => {
  const order = await tx
    .selectFrom("orders")
    .selectAll()
    .where("no", "=", params.no)
    .where("channel", "=", "ec")
    .executeTakeFirst();
  if (!order || !opens(query, order))
    throw notFound("ご注文が見つかりませんでした。注文番号とメールアドレスを確かめてください。");

  const lines = await tx
    .selectFrom("order_lines")
    .leftJoin("conditions", "conditions.code", "order_lines.condition")
    .select([
      "order_lines.name",
      "conditions.name as condition",
      "order_lines.qty",
      "order_lines.unit_price_yen as unitPriceYen",
      "order_lines.amount_yen as amountYen",
      "order_lines.rate_pct as ratePct",
    ])
    .where("order_id", "=", order.id)
    .orderBy("line_no")
    .execute();
  const taxes = await tx
    .selectFrom("order_taxes")
    .select(["rate_pct as ratePct", "gross_yen as grossYen", "tax_yen as taxYen"])
    .where("order_id", "=", order.id)
    .orderBy("rate_pct", "desc")
    .execute();
  return {
    no: order.no,
    state: order.state,
    placedAt: order.placed_at.toISOString(),
    deadline: order.deadline?.toISOString() ?? null,
    method: order.method,
    lines: lines.map((line) => ({
      ...line,
      condition: line.condition ?? "",
      amountYen: line.amountYen ?? 0,
    })),
    shippingYen: order.shipping_yen,
    taxes,
    totalYen: order.total_yen,
    shipTo: order.ship_to,
  };
});

function opens(
  { token, email }: { token?: string | undefined; email?: string | undefined },
  order: { token_hash: string | null; email: string | null },
): boolean {
  if (token !== undefined) return same(hashToken(token), order.token_hash ?? "");
  return email !== undefined && same(email.trim().toLowerCase(), order.email?.toLowerCase() ?? "");
}

function same(given: string, kept: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(kept)];
  return a.length > 0 && a.length === b.length && timingSafeEqual(a, b);
}
