import { sql } from "kysely";
import type { Tx } from "./tenant.ts";

export type Mismatch = {
  check: string;
  subjectId: string;
  storeId?: string;
  expected: number | string;
  actual: number | string;
};

/**
 * A law of the shop, as a question that returns what breaks it, in the transaction's company. One statement each: it sees
 * one moment, so a sale that is being written is wholly in or wholly out.
 */
export type Invariant = {
  name: string;
  /** `graceSeconds`: how long messages may be under way. What is younger is not yet judged by what its event does. */
  find: (tx: Tx, options?: { graceSeconds?: number }) => Promise<Mismatch[]>;
};

const GRACE_SECONDS = 300;

/** What is on hand is the sum of the ledger's moves. */
export const onHand: Invariant = {
  name: "stock.on_hand",
  async find(tx) {
    const { rows } = await sql<{ id: string; store: string; expected: number; actual: number }>`
      select l.product_id as id, p.store_id as store, coalesce(m.qty, 0)::int as expected, l.on_hand as actual
      from stock_levels l
      join products p on p.id = l.product_id
      left join (select product_id, sum(qty) as qty from stock_moves group by product_id) m on m.product_id = l.product_id
      where l.on_hand <> coalesce(m.qty, 0)
      order by l.product_id`.execute(tx);
    return rows.map(mismatch(onHand));
  },
};

/** What is reserved is the sum of the reservations that are held. */
export const reserved: Invariant = {
  name: "stock.reserved",
  async find(tx) {
    const { rows } = await sql<{ id: string; store: string; expected: number; actual: number }>`
      select l.product_id as id, p.store_id as store, coalesce(r.qty, 0)::int as expected, l.reserved as actual
      from stock_levels l
      join products p on p.id = l.product_id
      left join (select product_id, sum(qty) as qty from reservations where state = 'held' group by product_id) r
        on r.product_id = l.product_id
      where l.reserved <> coalesce(r.qty, 0)
      order by l.product_id`.execute(tx);
    return rows.map(mismatch(reserved));
  },
};

/** Nothing is held for a sale or an order that has ended, or that does not exist. */
const deadReservations: Invariant = {
  name: "reservation.dead_owner",
  async find(tx) {
    const { rows } = await sql<{ id: string; store: string; actual: string }>`
      select r.id, p.store_id as store, coalesce(s.state, o.state, 'missing') as actual
      from reservations r
      join products p on p.id = r.product_id
      left join sales s on r.owner_type = 'sale' and s.id = r.owner_id
      left join orders o on r.owner_type = 'order' and o.id = r.owner_id
      where r.state = 'held'
        and coalesce(s.state, o.state, 'missing') in ('missing', 'voided', 'expired', 'cancelled', 'shipped', 'completed')
        and (s.state is null or s.state <> 'completed')
      order by r.id`.execute(tx);
    return rows.map(({ id, store, actual }) => ({
      check: deadReservations.name,
      subjectId: id,
      storeId: store,
      expected: "a living sale or order",
      actual,
    }));
  },
};

/** A completed sale is in the ledger soon: until then its reservation is held and its moves are missing. */
const unpostedSales: Invariant = {
  name: "sale.unposted",
  async find(tx, { graceSeconds = GRACE_SECONDS } = {}) {
    const { rows } = await sql<{ id: string; store: string; expected: number; actual: number }>`
      select s.id, s.store_id as store, l.qty::int as expected, coalesce(m.qty, 0)::int as actual
      from sales s
      join (select sale_id, sum(qty) as qty from sale_lines where product_id is not null group by sale_id) l
        on l.sale_id = s.id
      left join (select source_id, -sum(qty) as qty from stock_moves where source_type = 'sale' and kind = 'sale'
                 group by source_id) m on m.source_id = s.id
      where s.state = 'completed' and s.completed_at < now() - make_interval(secs => ${graceSeconds})
        and l.qty <> coalesce(m.qty, 0)
      order by s.id`.execute(tx);
    return rows.map(mismatch(unpostedSales));
  },
};

/** What came back with a refund and can be sold again is in the ledger soon, and nothing else of it is. */
const unpostedRefunds: Invariant = {
  name: "refund.unposted",
  async find(tx, { graceSeconds = GRACE_SECONDS } = {}) {
    const { rows } = await sql<{ id: string; store: string; expected: number; actual: number }>`
      select f.id, f.store_id as store, coalesce(l.qty, 0)::int as expected, coalesce(m.qty, 0)::int as actual
      from refunds f
      left join (select refund_id, sum(r.qty) as qty from refund_lines r join sale_lines s using (company_id, sale_id, line_no)
                 where r.restock and s.product_id is not null group by refund_id) l on l.refund_id = f.id
      left join (select source_id, sum(qty) as qty from stock_moves where source_type = 'refund' and kind = 'refund'
                 group by source_id) m on m.source_id = f.id
      where f.refunded_at < now() - make_interval(secs => ${graceSeconds}) and coalesce(l.qty, 0) <> coalesce(m.qty, 0)
      order by f.id`.execute(tx);
    return rows.map(mismatch(unpostedRefunds));
  },
};

/** What was bought is in the ledger soon, piece by piece. */
const unpostedBuybacks: Invariant = {
  name: "buyback.unposted",
  async find(tx, { graceSeconds = GRACE_SECONDS } = {}) {
    const { rows } = await sql<{ id: string; store: string; expected: number; actual: number }>`
      select b.id, b.store_id as store, l.qty::int as expected, coalesce(m.qty, 0)::int as actual
      from buybacks b
      join (select buyback_id, sum(qty) as qty from buyback_lines where accepted group by buyback_id) l
        on l.buyback_id = b.id
      left join (select source_id, sum(qty) as qty from stock_moves where source_type = 'buyback' and kind = 'buyback'
                 group by source_id) m on m.source_id = b.id
      where b.state = 'paid_out' and b.paid_at < now() - make_interval(secs => ${graceSeconds})
        and l.qty <> coalesce(m.qty, 0)
      order by b.id`.execute(tx);
    return rows.map(mismatch(unpostedBuybacks));
  },
};

/** Every order that still may be shipped holds its goods: what is held is what was ordered. */
const orderReservations: Invariant = {
  name: "order.reserved",
  async find(tx, { graceSeconds = GRACE_SECONDS } = {}) {
    const { rows } = await sql<{ id: string; expected: number; actual: number }>`
      select o.id, l.qty::int as expected, coalesce(r.qty, 0)::int as actual
      from orders o
      join (select order_id, sum(qty) as qty from order_lines group by order_id) l on l.order_id = o.id
      left join (select owner_id, sum(qty) as qty from reservations where owner_type = 'order' and state = 'held'
                 group by owner_id) r on r.owner_id = o.id
      where o.state in ('awaiting_payment', 'paid', 'picking') and o.placed_at < now() - make_interval(secs => ${graceSeconds})
        and l.qty <> coalesce(r.qty, 0)
      order by o.id`.execute(tx);
    return rows.map(mismatch(orderReservations));
  },
};

/** The cash that a sale took is in its drawer's book, once. */
const saleCash: Invariant = {
  name: "sale.cash",
  async find(tx) {
    const { rows } = await sql<{ id: string; store: string; expected: number; actual: number }>`
      select s.id, s.store_id as store, coalesce(p.yen, 0)::int as expected, coalesce(m.yen, 0)::int as actual
      from sales s
      left join (select sale_id, sum(amount_yen) as yen from sale_payments where method = 'cash' group by sale_id) p
        on p.sale_id = s.id
      left join (select source_id, session_id, sum(amount_yen) as yen from cash_moves
                 where source_type = 'sale' and kind = 'sale' group by source_id, session_id) m
        on m.source_id = s.id and m.session_id = s.session_id
      where coalesce(p.yen, 0) <> coalesce(m.yen, 0)
      order by s.id`.execute(tx);
    return rows.map(mismatch(saleCash));
  },
};

/** The cash that a refund gave back has left its drawer's book, once. */
const refundCash: Invariant = {
  name: "refund.cash",
  async find(tx) {
    const { rows } = await sql<{ id: string; store: string; expected: number; actual: number }>`
      select f.id, f.store_id as store, coalesce(p.yen, 0)::int as expected, coalesce(m.yen, 0)::int as actual
      from refunds f
      left join (select refund_id, -sum(r.amount_yen) as yen
                 from refund_payments r join sale_payments s using (company_id, sale_id, line_no)
                 where s.method = 'cash' group by refund_id) p on p.refund_id = f.id
      left join (select source_id, session_id, sum(amount_yen) as yen from cash_moves
                 where source_type = 'refund' and kind = 'refund' group by source_id, session_id) m
        on m.source_id = f.id and m.session_id = f.session_id
      where coalesce(p.yen, 0) <> coalesce(m.yen, 0)
      order by f.id`.execute(tx);
    return rows.map(mismatch(refundCash));
  },
};

/** The cash that a buy-back paid has left its drawer's book, once; for one that was not paid none has. */
const buybackCash: Invariant = {
  name: "buyback.cash",
  async find(tx) {
    const { rows } = await sql<{ id: string; store: string; expected: number; actual: number }>`
      select b.id, b.store_id as store, (case when b.state = 'paid_out' then -b.total_yen else 0 end)::int as expected,
        coalesce(m.yen, 0)::int as actual
      from buybacks b
      left join (select source_id, session_id, sum(amount_yen) as yen from cash_moves
                 where source_type = 'buyback' and kind = 'buyback' group by source_id, session_id) m
        on m.source_id = b.id and (b.session_id is null or m.session_id = b.session_id)
      where coalesce(m.yen, 0) <> case when b.state = 'paid_out' then -b.total_yen else 0 end
      order by b.id`.execute(tx);
    return rows.map(mismatch(buybackCash));
  },
};

/** What a drawer should hold when it is closed is its float and what its book says went in and out. */
const drawer: Invariant = {
  name: "register.expected",
  async find(tx) {
    const { rows } = await sql<{ id: string; store: string; expected: number; actual: number }>`
      select r.id, r.store_id as store, (r.float_yen + coalesce(m.yen, 0))::int as expected, r.expected_yen::int as actual
      from register_sessions r
      left join (select session_id, sum(amount_yen) as yen from cash_moves group by session_id) m on m.session_id = r.id
      where r.closed_at is not null and r.expected_yen <> r.float_yen + coalesce(m.yen, 0)
      order by r.id`.execute(tx);
    return rows.map(mismatch(drawer));
  },
};

/** Every law. That lines, taxes and payments of a document add up is no question: the tables refuse anything else. */
export const invariants: readonly Invariant[] = [
  onHand,
  reserved,
  deadReservations,
  unpostedSales,
  unpostedRefunds,
  unpostedBuybacks,
  orderReservations,
  saleCash,
  refundCash,
  buybackCash,
  drawer,
];

const mismatch =
  (invariant: Invariant) =>
  (row: { id: string; store?: string; expected: number; actual: number }): Mismatch => ({
    check: invariant.name,
    subjectId: row.id,
    ...(row.store ? { storeId: row.store } : {}),
    expected: row.expected,
    actual: row.actual,
  });
