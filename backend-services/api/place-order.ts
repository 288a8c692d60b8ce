import { releaseAt } from "@noren/commerce";
import { type Tx, emit, hashToken, plan, writeStock } from "@noren/database";
import { newId, orderPlaced } from "@noren/events";
import { newOrderNo } from "./order-no.ts";
import { operation } from "./operation.ts";
import { quoted } from "./quote.ts";
import { Refusal } from "./refusal.ts";
import { orderToken } from "./secret.ts";

/** How often the stores are looked at anew when somebody else was faster: after that the goods are really going. */
const LOOKS = 3;

/**
 * Places an order that is paid by bank transfer: the order, all of its goods reserved (or none and a refusal), the payment
 * that is awaited, the moment at which it is let go, and the event, in one transaction.
 *
 * The order's own id makes it once. The page's token is derived from it, so a repeat answers the same although only its
 * hash is stored.
 */
export const placeOrder = operation("placeOrder", async ({ tx, caller, body, services }) => {
  const { companyId } = caller;
  const { orderId } = body;
  const token = orderToken(services.tokenKey, orderId);
  const before = await tx
    .selectFrom("orders")
    .select(["no", "deadline", "total_yen"])
    .where("id", "=", orderId)
    .where("token_hash", "=", hashToken(token))
    .executeTakeFirst();
  if (before?.deadline)
    return {
      orderId,
      no: before.no,
      token,
      deadline: before.deadline.toISOString(),
      totalYen: before.total_yen,
    };

  const now = services.now();
  const { lines, shippingYen, taxes, totalYen, deadline } = await quoted(tx, body.lines, now);
  if (body.shownTotalYen !== undefined && body.shownTotalYen !== totalYen)
    throw new Refusal(409, "price_changed", "表示していた金額が変わりました。新しい金額を確かめてください。");

  const no = newOrderNo();
  const company = { company_id: companyId };
  await tx
    .insertInto("orders")
    .values({
      ...company,
      id: orderId,
      no,
      channel: "ec",
      state: "awaiting_payment",
      email: body.email,
      method: body.method,
      shipping_yen: shippingYen,
      total_yen: totalYen,
      deadline,
      ship_to: JSON.stringify(body.shipTo),
      token_hash: hashToken(token),
      placed_at: now,
    })
    .execute();
  await tx
    .insertInto("order_lines")
    .values(
      lines.map((line) => ({
        ...company,
        order_id: orderId,
        line_no: line.lineNo,
        item_id: line.itemId,
        condition: line.condition,
        name: line.name,
        tax_class: line.taxClass,
        rate_pct: line.ratePct,
        unit_price_yen: line.unitPriceYen,
        qty: line.qty,
      })),
    )
    .execute();
  await tx
    .insertInto("order_taxes")
    .values(
      taxes.map(({ ratePct, grossYen, taxYen }) => ({
        ...company,
        order_id: orderId,
        rate_pct: ratePct,
        gross_yen: grossYen,
        tax_yen: taxYen,
      })),
    )
    .execute();
  await reserve(tx, companyId, { orderId, lines: body.lines, now, expiresAt: releaseAt(deadline) });
  await tx
    .insertInto("payments")
    .values({
      ...company,
      id: newId(),
      order_id: orderId,
      method: body.method,
      amount_yen: totalYen,
      state: "pending",
      provider: "bank",
      idempotency_key: `order/${orderId}`,
    })
    .execute();
  await plan(tx, companyId, { kind: "order.deadline", subjectId: orderId, dueAt: releaseAt(deadline) });
  await emit(
    tx,
    orderPlaced.create({
      companyId,
      aggregateId: orderId,
      seq: 1,
      occurredAt: now,
      data: {
        orderId,
        no,
        channel: "ec",
        lines,
        shippingYen,
        taxes,
        totalYen,
        method: body.method,
        deadline: deadline.toISOString(),
        email: body.email,
        token,
      },
    }),
  );
  return { orderId, no, token, deadline: deadline.toISOString(), totalYen };
});

type Wish = {
  orderId: string;
  lines: { itemId: string; condition: string; qty: number }[];
  now: Date;
  expiresAt: Date;
};

/** Chooses the stores and reserves there, all or nothing. The look is without locks, so it may have to look again. */
async function reserve(tx: Tx, companyId: string, { orderId, lines, now, expiresAt }: Wish): Promise<void> {
  for (let look = 1; look <= LOOKS; look += 1) {
    const { allocation, lines: named } = await quoted(tx, lines, now);
    if ("missing" in allocation) {
      const short = allocation.missing.map(
        ({ itemId }) => named.find((line) => line.itemId === itemId)?.name,
      );
      throw soldOut([...new Set(short)].join("」「"));
    }
    const reserved = await writeStock(tx, companyId, {
      cause: { type: "order", id: orderId },
      reserve: {
        owner: { type: "order", id: orderId },
        lines: allocation.shipments.flatMap((shipment) => shipment.lines),
        expiresAt,
        ifAvailable: true,
      },
    });
    if (reserved.ok) return;
  }
  throw soldOut(undefined);
}

const soldOut = (names: string | undefined) =>
  new Refusal(
    409,
    "out_of_stock",
    names
      ? `「${names}」は在庫が足りません。数を減らすか、カートから外してください。`
      : "ご注文が集中しています。もう一度お試しください。",
  );
