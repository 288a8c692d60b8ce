import type { Goods, Outcome } from "./shop.ts";
import type { Deed } from "./story.ts";

/** What an accepted document must have caused, once. */
export type Settlement = {
  /**
   * A statement that answers one row per document: its id and what it has caused. `$1` are the ids, `$2` the pieces of
   * each.
   */
  sql: string;
  /** What it must have caused, in the order of the statement's columns. */
  expected: (outcome: Outcome) => object;
  /** The event that tells the world of it, about the document as its aggregate unless the outcome names another. */
  event?: string;
};

export const settlements: Record<Deed["kind"], Settlement> = {
  sale: {
    sql: `select d.id, (select count(*)::int from sales where id = d.id::uuid) as documents,
      (select count(*)::int from cash_moves where source_id = d.id::uuid) as cash,
      (select coalesce(-sum(qty), 0)::int from stock_moves where source_type = 'sale' and source_id = d.id::uuid) as pieces,
      (select count(*)::int from reservations where owner_id = d.id::uuid and state = 'held') as held,
      (select count(*)::int from notifications where dedupe_key = 'receipt/' || d.id and state = 'sent') as mails
      from unnest($1::text[], $2::int[]) as d (id, pieces)`,
    expected: ({ step, lines }) => ({
      documents: 1,
      cash: 1,
      pieces: pieces(lines),
      held: 0,
      mails: step.kind === "sale" && step.mail ? 1 : 0,
    }),
    event: "sale.completed",
  },
  refund: {
    sql: `select d.id, (select count(*)::int from refunds where id = d.id::uuid) as documents,
      (select coalesce(sum(qty), 0)::int from refund_lines where refund_id = d.id::uuid) as back,
      (select coalesce(sum(amount_yen), 0)::int from cash_moves where source_id = d.id::uuid) as cash,
      (select coalesce(sum(qty), 0)::int from stock_moves where source_type = 'refund' and source_id = d.id::uuid) as pieces,
      (select count(*)::int from notifications where dedupe_key = 'return-receipt/' || d.id and state = 'sent') as mails
      from unnest($1::text[], $2::int[]) as d (id, pieces)`,
    expected: ({ step, lines, moved, cashYen }) => ({
      documents: 1,
      back: pieces(lines),
      cash: cashYen,
      pieces: pieces(moved),
      mails: step.kind === "refund" && step.mail ? 1 : 0,
    }),
    event: "sale.refunded",
  },
  buyback: {
    sql: `select d.id, (select count(*)::int from buybacks where id = d.id::uuid and state = 'paid_out') as documents,
      (select coalesce(sum(amount_yen), 0)::int from cash_moves where source_id = d.id::uuid) as cash,
      (select coalesce(sum(qty), 0)::int from stock_moves where kind = 'buyback' and source_id = d.id::uuid) as pieces,
      (select count(*)::int from buyback_identities where buyback_id = d.id::uuid) as identities
      from unnest($1::text[], $2::int[]) as d (id, pieces)`,
    expected: ({ step, moved, cashYen }) => ({
      documents: 1,
      cash: cashYen,
      pieces: pieces(moved),
      identities: step.kind === "buyback" && step.seller === "named" ? 1 : 0,
    }),
    event: "buyback.paid_out",
  },
  receive: {
    sql: `select d.id, (select count(*)::int from receivings where id = d.id::uuid) as documents,
      (select count(*)::int from receivings r where r.supplier_name =
        (select supplier_name from receivings where id = d.id::uuid)) as alike,
      (select coalesce(sum(qty), 0)::int from stock_moves where kind = 'receive' and source_id = d.id::uuid) as pieces
      from unnest($1::text[], $2::int[]) as d (id, pieces)`,
    expected: ({ lines }) => ({ documents: 1, alike: 1, pieces: pieces(lines) }),
  },
  order: {
    sql: `select d.id, (select count(*)::int from orders where id = d.id::uuid) as documents,
      (select coalesce(sum(qty), 0)::int from reservations where owner_id = d.id::uuid and state = 'held') as held,
      (select count(*)::int from notifications where dedupe_key = 'order-placed/' || d.id and state = 'sent') as mails
      from unnest($1::text[], $2::int[]) as d (id, pieces)`,
    expected: ({ lines }) => ({ documents: 1, held: pieces(lines), mails: 1 }),
    event: "order.placed",
  },
  mall: {
    // Without enough goods a mall's order is imported all the same, and is short.
    sql: `select d.id, count(o.id)::int as documents,
      coalesce(sum(case when o.state = 'short' then d.pieces else
        (select coalesce(sum(qty), 0)::int from reservations where owner_id = o.id and state = 'held') end), 0)::int as held
      from unnest($1::text[], $2::int[]) as d (id, pieces) left join orders o on o.mall_order_no = d.id group by d.id`,
    expected: ({ lines }) => ({ documents: 1, held: pieces(lines) }),
  },
};

export function pieces(goods: Goods): number {
  return goods.reduce((sum, { qty }) => sum + qty, 0);
}
