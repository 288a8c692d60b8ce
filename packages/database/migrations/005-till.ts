import { storeWrites, tenant } from "./rls.ts";

export const sql = `
create table register_sessions (
  company_id uuid not null,
  id uuid not null,
  store_id uuid not null,
  register_id uuid not null,
  business_date date not null,
  float_yen bigint not null check (float_yen >= 0),
  opened_at timestamptz not null,
  opened_by uuid not null,
  closed_at timestamptz,
  closed_by uuid,
  expected_yen bigint,
  counted jsonb,
  counted_yen bigint check (counted_yen >= 0),
  difference_yen bigint generated always as (counted_yen - expected_yen) stored,
  primary key (company_id, id),
  foreign key (company_id, store_id) references stores,
  foreign key (company_id, register_id) references registers,
  foreign key (company_id, opened_by) references staff,
  foreign key (company_id, closed_by) references staff,
  check (num_nulls(closed_at, closed_by, expected_yen, counted, counted_yen) in (0, 5))
);
create unique index register_sessions_open on register_sessions (company_id, register_id) where closed_at is null;

create table sales (
  company_id uuid not null,
  id uuid not null,
  store_id uuid not null,
  session_id uuid not null,
  register_id uuid not null,
  register_seq integer not null check (register_seq > 0),
  receipt_no text not null,
  business_date date not null,
  staff_id uuid not null,
  email text,
  total_yen bigint not null check (total_yen >= 0),
  state text not null default 'completed' check (state in ('completed', 'voided')),
  completed_at timestamptz not null,
  voided_at timestamptz,
  voided_by uuid,
  void_reason text,
  primary key (company_id, id),
  unique (company_id, register_id, register_seq),
  unique (company_id, receipt_no),
  foreign key (company_id, store_id) references stores,
  foreign key (company_id, session_id) references register_sessions,
  foreign key (company_id, register_id) references registers,
  foreign key (company_id, staff_id) references staff,
  foreign key (company_id, voided_by) references staff,
  check ((state = 'voided') = (voided_at is not null and voided_by is not null and void_reason is not null))
);
create index sales_by_day on sales (company_id, store_id, business_date);

create table sale_lines (
  company_id uuid not null,
  sale_id uuid not null,
  line_no integer not null check (line_no > 0),
  product_id uuid,
  code text,
  name text not null,
  condition text,
  tax_class text not null check (tax_class in ('standard', 'reduced', 'exempt')),
  rate_pct integer not null check (rate_pct between 0 and 30),
  unit_price_yen bigint not null check (unit_price_yen >= 0),
  qty integer not null check (qty > 0),
  line_discount_yen bigint not null default 0 check (line_discount_yen >= 0),
  spread_discount_yen bigint not null default 0 check (spread_discount_yen >= 0),
  amount_yen bigint not null generated always as
    (unit_price_yen * qty - line_discount_yen - spread_discount_yen) stored check (amount_yen >= 0),
  primary key (company_id, sale_id, line_no),
  foreign key (company_id, sale_id) references sales,
  foreign key (company_id, product_id) references products
);

create table sale_taxes (
  company_id uuid not null,
  sale_id uuid not null,
  rate_pct integer not null check (rate_pct between 0 and 30),
  gross_yen bigint not null,
  tax_yen bigint not null check (tax_yen between 0 and gross_yen),
  primary key (company_id, sale_id, rate_pct),
  foreign key (company_id, sale_id) references sales
);

create table sale_payments (
  company_id uuid not null,
  sale_id uuid not null,
  line_no integer not null check (line_no > 0),
  method text not null check (method in ('cash', 'card', 'qr')),
  amount_yen bigint not null check (amount_yen > 0),
  tendered_yen bigint,
  payment_id uuid,
  primary key (company_id, sale_id, line_no),
  foreign key (company_id, sale_id) references sales,
  -- coalesce: a check that comes out as null would pass.
  check (case when method = 'cash' then coalesce(tendered_yen, 0) >= amount_yen and payment_id is null
              else tendered_yen is null and payment_id is not null end)
);

-- The receipt's law, checked at commit: lines = taxes = payments = total, and lines = taxes for each rate. Only on
-- sales: on the children too it costs half of the throughput, so they are insert-only instead.
create function check_sale() returns trigger language plpgsql as $$
declare
  wrong text;
begin
  select string_agg(format('rate %s: lines %s, taxes %s', rate_pct, lines, taxes), '; ') into wrong
  from (
    select rate_pct, coalesce(sum(line), 0) as lines, coalesce(sum(tax), 0) as taxes
    from (
      select rate_pct, amount_yen as line, 0 as tax from sale_lines
        where company_id = new.company_id and sale_id = new.id
      union all
      select rate_pct, 0, gross_yen from sale_taxes where company_id = new.company_id and sale_id = new.id
    ) parts
    group by rate_pct
  ) rates where lines <> taxes;
  if wrong is not null then
    raise exception 'Sale % does not add up: %', new.id, wrong using errcode = 'check_violation';
  end if;
  select format('total %s, taxes %s, payments %s', new.total_yen, taxes, payments) into wrong
  from (select
    (select coalesce(sum(gross_yen), 0) from sale_taxes
      where company_id = new.company_id and sale_id = new.id) as taxes,
    (select coalesce(sum(amount_yen), 0) from sale_payments
      where company_id = new.company_id and sale_id = new.id) as payments) sums
  where taxes <> new.total_yen or payments <> new.total_yen;
  if wrong is not null then
    raise exception 'Sale % does not add up: %', new.id, wrong using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger check_sale after insert or update on sales
  deferrable initially deferred for each row execute function check_sale();

create table cash_moves (
  company_id uuid not null,
  id uuid not null,
  session_id uuid not null,
  kind text not null check (kind in ('sale', 'void', 'refund', 'buyback', 'paid_in', 'paid_out', 'bank')),
  amount_yen bigint not null,
  source_type text not null,
  source_id uuid not null,
  note text,
  occurred_at timestamptz not null,
  primary key (company_id, id),
  unique (company_id, source_type, source_id, kind),
  foreign key (company_id, session_id) references register_sessions,
  check (case when kind in ('sale', 'paid_in') then amount_yen > 0 else amount_yen < 0 end)
);
create index cash_moves_by_session on cash_moves (company_id, session_id);

${tenant(["register_sessions", "sales"], { rights: "select, insert, update" })}
${tenant(["sale_lines", "sale_taxes", "sale_payments", "cash_moves"], { appendOnly: true })}
${storeWrites(["register_sessions", "sales"])}
`;
