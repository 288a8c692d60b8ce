import type { Tx } from "@noren/database";
import { sql } from "kysely";

/** A sale that a till sent late, or a void, may still change the last days; older ones are settled. */
const DAYS = 8;

/**
 * Writes a store's totals of `today` (its business date) and of every business date of the week before that has sales,
 * refunds or buy-backs, from the documents alone: running it again writes the same. Returns the dates.
 *
 * Voided sales count as voided and add nothing. A refund counts on its own day, beside the sales and never taken off them, and so
 * does what the drawers paid for goods. `cash_yen` is what the day's sessions moved in cash, floats left out.
 */
export async function writeDailyTotals(
  tx: Tx,
  companyId: string,
  storeId: string,
  today: string,
): Promise<string[]> {
  const { rows } = await sql<{ business_date: string }>`
    with days as (
      select ${today}::date as day
      union
      select business_date from sales
      where store_id = ${storeId} and business_date between ${today}::date - ${DAYS}::int and ${today}::date
      union
      select business_date from refunds
      where store_id = ${storeId} and business_date between ${today}::date - ${DAYS}::int and ${today}::date
      union
      select business_date from buybacks
      where store_id = ${storeId} and business_date between ${today}::date - ${DAYS}::int and ${today}::date
    ),
    live as (
      select s.id, s.business_date from sales s join days d on d.day = s.business_date
      where s.store_id = ${storeId} and s.state = 'completed'
    ),
    rates as (
      select business_date, rate_pct, sum(gross_yen) as gross, sum(tax_yen) as tax
      from live join sale_taxes t on t.sale_id = live.id group by business_date, rate_pct
    ),
    refunded as (
      select r.business_date, t.rate_pct, sum(t.gross_yen) as gross, sum(t.tax_yen) as tax
      from refunds r join days d on d.day = r.business_date
      join refund_taxes t on t.sale_id = r.sale_id and t.refund_id = r.id
      where r.store_id = ${storeId} group by r.business_date, t.rate_pct
    ),
    methods as (
      select business_date, method, sum(amount_yen) as amount
      from live join sale_payments p on p.sale_id = live.id group by business_date, method
    )
    insert into daily_totals (company_id, store_id, business_date, sales_count, voided_count, items_qty, gross_yen, tax_yen,
                              by_rate, by_method, refunds_count, refunded_yen, refunded_tax_yen, refunded_by_rate,
                              buybacks_count, buyback_yen, cash_yen, computed_at)
    select ${companyId}, ${storeId}, d.day,
      (select count(*) from live where business_date = d.day),
      (select count(*) from sales where store_id = ${storeId} and business_date = d.day and state = 'voided'),
      (select coalesce(sum(l.qty), 0) from live join sale_lines l on l.sale_id = live.id where business_date = d.day),
      (select coalesce(sum(gross), 0) from rates where business_date = d.day),
      (select coalesce(sum(tax), 0) from rates where business_date = d.day),
      (select coalesce(jsonb_agg(jsonb_build_object('ratePct', rate_pct, 'grossYen', gross, 'taxYen', tax)
         order by rate_pct desc), '[]') from rates where business_date = d.day),
      (select coalesce(jsonb_agg(jsonb_build_object('method', method, 'amountYen', amount) order by method), '[]')
         from methods where business_date = d.day),
      (select count(*) from refunds where store_id = ${storeId} and business_date = d.day),
      (select coalesce(sum(gross), 0) from refunded where business_date = d.day),
      (select coalesce(sum(tax), 0) from refunded where business_date = d.day),
      (select coalesce(jsonb_agg(jsonb_build_object('ratePct', rate_pct, 'grossYen', gross, 'taxYen', tax)
         order by rate_pct desc), '[]') from refunded where business_date = d.day),
      (select count(*) from buybacks where store_id = ${storeId} and business_date = d.day),
      (select coalesce(sum(total_yen), 0) from buybacks where store_id = ${storeId} and business_date = d.day),
      (select coalesce(sum(c.amount_yen), 0) from cash_moves c join register_sessions r on r.id = c.session_id
         where r.store_id = ${storeId} and r.business_date = d.day),
      now()
    from days d
    on conflict (company_id, store_id, business_date) do update set
      sales_count = excluded.sales_count, voided_count = excluded.voided_count, items_qty = excluded.items_qty,
      gross_yen = excluded.gross_yen, tax_yen = excluded.tax_yen, by_rate = excluded.by_rate,
      refunds_count = excluded.refunds_count, refunded_yen = excluded.refunded_yen,
      refunded_tax_yen = excluded.refunded_tax_yen, refunded_by_rate = excluded.refunded_by_rate,
      buybacks_count = excluded.buybacks_count, buyback_yen = excluded.buyback_yen,
      by_method = excluded.by_method, cash_yen = excluded.cash_yen, computed_at = excluded.computed_at
    returning business_date`.execute(tx);
  return rows.map(({ business_date }) => business_date).sort();
}
