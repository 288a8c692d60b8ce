import { storeWrites, tenant } from "./rls.ts";

const children = ["refund_lines", "refund_taxes", "refund_payments"];

export const sql = `
-- A document of its own on its own day: the sale stays as it was printed.
create table refunds (
  company_id uuid not null,
  id uuid not null,
  sale_id uuid not null,
  -- The sale's first, second, … refund: printed after the receipt's number.
  n integer not null check (n > 0),
  store_id uuid not null,
  session_id uuid not null,
  register_id uuid not null,
  business_date date not null,
  staff_id uuid not null,
  reason text not null check (reason <> ''),
  total_yen bigint not null check (total_yen >= 0),
  refunded_at timestamptz not null,
  primary key (company_id, id),
  unique (company_id, sale_id, n),
  unique (company_id, sale_id, id),
  foreign key (company_id, sale_id) references sales,
  foreign key (company_id, store_id) references stores,
  foreign key (company_id, session_id) references register_sessions,
  foreign key (company_id, register_id) references registers,
  foreign key (company_id, staff_id) references staff
);
create index refunds_by_day on refunds (company_id, store_id, business_date);

-- Each part names the part of the sale that it gives back; one of another sale cannot be named.
create table refund_lines (
  company_id uuid not null,
  sale_id uuid not null,
  refund_id uuid not null,
  line_no integer not null,
  qty integer not null check (qty > 0),
  amount_yen bigint not null check (amount_yen >= 0),
  restock boolean not null,
  primary key (company_id, sale_id, refund_id, line_no),
  foreign key (company_id, sale_id, refund_id) references refunds (company_id, sale_id, id),
  foreign key (company_id, sale_id, line_no) references sale_lines
);

create table refund_taxes (
  company_id uuid not null,
  sale_id uuid not null,
  refund_id uuid not null,
  rate_pct integer not null,
  gross_yen bigint not null check (gross_yen >= 0),
  tax_yen bigint not null check (tax_yen between 0 and gross_yen),
  primary key (company_id, sale_id, refund_id, rate_pct),
  foreign key (company_id, sale_id, refund_id) references refunds (company_id, sale_id, id),
  foreign key (company_id, sale_id, rate_pct) references sale_taxes
);

create table refund_payments (
  company_id uuid not null,
  sale_id uuid not null,
  refund_id uuid not null,
  line_no integer not null,
  amount_yen bigint not null check (amount_yen > 0),
  primary key (company_id, sale_id, refund_id, line_no),
  foreign key (company_id, sale_id, refund_id) references refunds (company_id, sale_id, id),
  foreign key (company_id, sale_id, line_no) references sale_payments
);

-- The law of refunds, checked at commit and whoever wrote: a refund adds up, and all of a sale's refunds together are
-- never more than the sale, piece by piece and yen by yen. Refunds are few, so every part is watched.
create function check_refund() returns trigger language plpgsql as $$
declare
  this uuid := coalesce(to_jsonb(new) ->> 'refund_id', to_jsonb(new) ->> 'id');
  wrong text;
begin
  -- Of two at once the second waits here, and then sees the first. No key: both hold the key already, as a foreign one.
  perform from sales where company_id = new.company_id and id = new.sale_id and state = 'completed'
    for no key update;
  if not found then
    raise exception 'Refund %: sale % is voided', this, new.sale_id using errcode = 'check_violation';
  end if;

  select string_agg(format('rate %s: lines %s, taxes %s', rate_pct, lines, taxes), '; ' order by rate_pct desc) into wrong
  from (
    select rate_pct, sum(line) as lines, sum(tax) as taxes
    from (
      select s.rate_pct, r.amount_yen as line, 0 as tax
        from refund_lines r join sale_lines s using (company_id, sale_id, line_no)
        where r.company_id = new.company_id and r.sale_id = new.sale_id and r.refund_id = this
      union all
      select rate_pct, 0, gross_yen from refund_taxes
        where company_id = new.company_id and sale_id = new.sale_id and refund_id = this
    ) parts
    group by rate_pct
  ) rates where lines <> taxes;
  if wrong is null then
    select format('total %s, taxes %s, payments %s', total_yen, taxes, payments) into wrong
    from (select total_yen,
      (select coalesce(sum(gross_yen), 0) from refund_taxes
        where company_id = new.company_id and sale_id = new.sale_id and refund_id = this) as taxes,
      (select coalesce(sum(amount_yen), 0) from refund_payments
        where company_id = new.company_id and sale_id = new.sale_id and refund_id = this) as payments
      from refunds where company_id = new.company_id and id = this) sums
    where taxes <> total_yen or payments <> total_yen;
  end if;
  if wrong is not null then
    raise exception 'Refund % does not add up: %', this, wrong using errcode = 'check_violation';
  end if;

  select string_agg(format('%s: sold %s, refunded %s', part, sold, refunded), '; ' order by part) into wrong
  from (
    select format('line %s pieces', line_no) as part, s.qty as sold, sum(r.qty) as refunded
      from refund_lines r join sale_lines s using (company_id, sale_id, line_no)
      where r.company_id = new.company_id and r.sale_id = new.sale_id group by line_no, s.qty
    union all
    select format('line %s yen', line_no), s.amount_yen, sum(r.amount_yen)
      from refund_lines r join sale_lines s using (company_id, sale_id, line_no)
      where r.company_id = new.company_id and r.sale_id = new.sale_id group by line_no, s.amount_yen
    union all
    select format('tax of %s %%', rate_pct), s.tax_yen, sum(r.tax_yen)
      from refund_taxes r join sale_taxes s using (company_id, sale_id, rate_pct)
      where r.company_id = new.company_id and r.sale_id = new.sale_id group by rate_pct, s.tax_yen
    union all
    select format('payment %s', line_no), s.amount_yen, sum(r.amount_yen)
      from refund_payments r join sale_payments s using (company_id, sale_id, line_no)
      where r.company_id = new.company_id and r.sale_id = new.sale_id group by line_no, s.amount_yen
  ) parts where refunded > sold;
  if wrong is not null then
    raise exception 'More of sale % would be refunded than was sold: %', new.sale_id, wrong
      using errcode = 'check_violation';
  end if;
  return null;
end $$;
${["refunds", ...children]
  .map(
    (table) => `create constraint trigger check_refund after insert on ${table}
  deferrable initially deferred for each row execute function check_refund();`,
  )
  .join("\n")}

-- A void gives everything back, so it would give twice what a refund gave already.
create function refuse_void_of_refunded() returns trigger language plpgsql as $$
begin
  if exists (select from refunds where company_id = new.company_id and sale_id = new.id) then
    raise exception 'Sale % has refunds and cannot be voided', new.id using errcode = 'check_violation';
  end if;
  return null;
end $$;
create trigger refuse_void_of_refunded after update on sales
  for each row when (old.state = 'completed' and new.state = 'voided') execute function refuse_void_of_refunded();

-- Refunds count on their own day, beside its sales and never taken off them.
alter table daily_totals
  add column refunds_count integer not null default 0,
  add column refunded_yen bigint not null default 0,
  add column refunded_tax_yen bigint not null default 0,
  add column refunded_by_rate jsonb not null default '[]';

${tenant(["refunds", ...children], { appendOnly: true })}
${storeWrites(["refunds"])}
`;
