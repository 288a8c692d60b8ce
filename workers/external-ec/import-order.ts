import { taxes } from "@noren/commerce";
import { type Tx, emit, enterMallAccount } from "@noren/database";
import { type Envelope, mallMailReceived, newId, orderCancelRequested, orderImported } from "@noren/events";
import { type Context, Unprocessable, on } from "worker";
import type { Mall, MallOrder } from "./mall.ts";
import { mallLines } from "./mall-lines.ts";

/**
 * A mall's mail says that something happened to an order; the order itself is fetched from the mall and stored once.
 *
 * Mails come twice, late and out of order, so it is the fetched order that counts: a placed one that we do not have is
 * imported, a cancelled one that we have is asked to be cancelled, and everything else is known already.
 */
export const importOrder = (mall: Mall) =>
  on(mallMailReceived, async (event, { tx, log, signal }: Context<Tx>) => {
    const { accountHint, mallOrderNo, kind } = event.data;
    if (kind === "question")
      return log.info({ mallOrderNo }, "a buyer's question, answered on the mall's own page");
    // The function that read the mail has no database: only here the event gets its company.
    const account = await enterMallAccount(tx, accountHint);
    if (!account)
      throw new Unprocessable(
        `No mall account has the mail key "${accountHint}". Add it, then replay this event.`,
      );

    const known = await tx
      .selectFrom("orders")
      .select("id")
      .where("mall_account_id", "=", account.mallAccountId)
      .where("mall_order_no", "=", mallOrderNo)
      .forUpdate()
      .executeTakeFirst();
    if (known && kind === "order") return log.info({ orderId: known.id }, "mall order is imported already");

    const fetched = await mall.order(mallOrderNo, signal);
    if (fetched.no !== mallOrderNo)
      throw new Unprocessable(`The mall answered with order ${fetched.no} instead of ${mallOrderNo}.`);
    const from = { ...account, causation: event };
    if (fetched.status === "placed" && !known) return store(tx, from, fetched);
    if (fetched.status === "cancelled" && known) return askToCancel(tx, from, known.id);
    log.info({ mallOrderNo, status: fetched.status }, "nothing to do for this mall order");
  });

type From = { companyId: string; mallAccountId: string; causation: Envelope };

async function store(tx: Tx, { companyId, mallAccountId, causation }: From, order: MallOrder): Promise<void> {
  const orderId = newId();
  const company = { company_id: companyId };
  const { lines, shippingRatePct } = await mallLines(tx, order, mallAccountId);
  const shippingYen = order.totalYen - lines.reduce((sum, { amountYen }) => sum + amountYen, 0);
  if (shippingYen < 0)
    throw new Unprocessable(
      `The lines of the mall's order ${order.no} cost more than its ${order.totalYen} yen.`,
    );
  const { tax_rounding } = await tx.selectFrom("companies").select("tax_rounding").executeTakeFirstOrThrow();
  const shipping = shippingYen > 0 ? [{ ratePct: shippingRatePct, amountYen: shippingYen }] : [];

  await tx
    .insertInto("orders")
    .values({
      ...company,
      id: orderId,
      no: order.no,
      channel: "mall",
      state: order.paid ? "paid" : "awaiting_payment",
      email: order.buyer.email,
      method: "mall",
      shipping_yen: shippingYen,
      total_yen: order.totalYen,
      ship_to: JSON.stringify({ name: order.buyer.name, ...order.shipTo }),
      mall_account_id: mallAccountId,
      mall_order_no: order.no,
      placed_at: new Date(order.placedAt),
    })
    .execute();
  await tx
    .insertInto("order_lines")
    .values(
      lines.map((line) => ({
        ...company,
        order_id: orderId,
        line_no: line.lineNo,
        item_id: line.itemId ?? null,
        condition: line.condition ?? null,
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
      taxes([...lines, ...shipping], tax_rounding).map(({ ratePct, grossYen, taxYen }) => ({
        ...company,
        order_id: orderId,
        rate_pct: ratePct,
        gross_yen: grossYen,
        tax_yen: taxYen,
      })),
    )
    .execute();
  const raw = JSON.stringify(order);
  const row = { ...company, mall_account_id: mallAccountId, mall_order_no: order.no, order_id: orderId, raw };
  await tx.insertInto("mall_orders").values(row).execute();
  const data = { orderId, mallAccountId, mallOrderNo: order.no, lines, paid: order.paid };
  await emit(tx, orderImported.create({ companyId, aggregateId: orderId, seq: 1, causation, data }));
}

async function askToCancel(tx: Tx, { companyId, causation }: From, orderId: string): Promise<void> {
  const data = { orderId, by: "mall" as const, reason: "モールで取り消されました" };
  await emit(tx, orderCancelRequested.create({ companyId, aggregateId: orderId, causation, data }));
}
