import { storeWrites, tenant } from "./rls.ts";

export const sql = `
create table mall_accounts (
  company_id uuid not null references companies,
  id uuid not null,
  code text not null check (code ~ '^[a-z0-9-]{1,32}$'),
  name text not null,
  -- Local part of the address that the mall writes to: how a mail finds its company.
  mail_key text not null unique,
  rate_per_second integer not null default 5 check (rate_per_second > 0),
  secret_name text not null,
  closed_at timestamptz,
  primary key (company_id, id),
  unique (company_id, code)
);

create table orders (
  company_id uuid not null references companies,
  id uuid not null,
  no text not null,
  channel text not null check (channel in ('ec', 'mall')),
  state text not null check (state in ('awaiting_payment', 'paid', 'short', 'picking', 'shipped', 'completed',
    'expired', 'cancelling', 'cancelled')),
  version integer not null default 1,
  email text,
  method text not null,
  shipping_yen bigint not null default 0 check (shipping_yen >= 0),
  total_yen bigint not null check (total_yen >= 0),
  deadline timestamptz,
  ship_to jsonb not null default '{}',
  token_hash text,
  mall_account_id uuid,
  mall_order_no text,
  reason text,
  placed_at timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (company_id, id),
  unique (company_id, no),
  unique (company_id, mall_account_id, mall_order_no),
  foreign key (company_id, mall_account_id) references mall_accounts,
  check ((channel = 'mall') = (mall_account_id is not null and mall_order_no is not null)),
  check (channel = 'mall' or (email is not null and token_hash is not null and deadline is not null))
);

create table order_lines (
  company_id uuid not null,
  order_id uuid not null,
  line_no integer not null check (line_no > 0),
  item_id uuid,
  condition text,
  name text not null,
  tax_class text not null check (tax_class in ('standard', 'reduced', 'exempt')),
  rate_pct integer not null check (rate_pct between 0 and 30),
  unit_price_yen bigint not null check (unit_price_yen >= 0),
  qty integer not null check (qty > 0),
  amount_yen bigint not null generated always as (unit_price_yen * qty) stored,
  primary key (company_id, order_id, line_no),
  foreign key (company_id, order_id) references orders,
  foreign key (company_id, item_id, condition) references item_conditions
);

create table order_taxes (
  company_id uuid not null,
  order_id uuid not null,
  rate_pct integer not null check (rate_pct between 0 and 30),
  gross_yen bigint not null,
  tax_yen bigint not null check (tax_yen between 0 and gross_yen),
  primary key (company_id, order_id, rate_pct),
  foreign key (company_id, order_id) references orders
);

-- As for sales: lines and shipping = taxes = total, at commit.
create function check_order() returns trigger language plpgsql as $$
declare
  wrong text;
begin
  select format('total %s, lines and shipping %s, taxes %s', new.total_yen, parts, taxes) into wrong
  from (select
    (select coalesce(sum(amount_yen), 0) from order_lines
      where company_id = new.company_id and order_id = new.id) + new.shipping_yen as parts,
    (select coalesce(sum(gross_yen), 0) from order_taxes
      where company_id = new.company_id and order_id = new.id) as taxes) sums
  where parts <> new.total_yen or taxes <> new.total_yen;
  if wrong is not null then
    raise exception 'Order % does not add up: %', new.id, wrong using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger check_order after insert or update on orders
  deferrable initially deferred for each row execute function check_order();

create table shipments (
  company_id uuid not null,
  id uuid not null,
  order_id uuid not null,
  store_id uuid not null,
  state text not null default 'planned' check (state in ('planned', 'picking', 'dispatched', 'cancelled')),
  carrier text,
  tracking_no text,
  dispatched_at timestamptz,
  primary key (company_id, id),
  foreign key (company_id, order_id) references orders,
  foreign key (company_id, store_id) references stores,
  check ((state = 'dispatched') = (dispatched_at is not null))
);
create index shipments_by_order on shipments (company_id, order_id);

create table shipment_lines (
  company_id uuid not null,
  shipment_id uuid not null,
  line_no integer not null check (line_no > 0),
  order_line_no integer not null,
  product_id uuid not null,
  qty integer not null check (qty > 0),
  primary key (company_id, shipment_id, line_no),
  foreign key (company_id, shipment_id) references shipments,
  foreign key (company_id, product_id) references products
);

create table payments (
  company_id uuid not null references companies,
  id uuid not null,
  sale_id uuid,
  order_id uuid,
  method text not null,
  amount_yen bigint not null check (amount_yen > 0),
  captured_yen bigint not null default 0 check (captured_yen between 0 and amount_yen),
  refunded_yen bigint not null default 0 check (refunded_yen between 0 and captured_yen),
  state text not null check (state in ('pending', 'captured', 'failed', 'expired', 'cancelled', 'refunded', 'uncertain')),
  provider text not null,
  provider_ref text,
  idempotency_key text not null,
  created_at timestamptz not null default now(),
  primary key (company_id, id),
  unique (company_id, provider, provider_ref),
  unique (company_id, idempotency_key),
  foreign key (company_id, sale_id) references sales,
  foreign key (company_id, order_id) references orders,
  check (num_nonnulls(sale_id, order_id) = 1)
);
create index payments_by_order on payments (company_id, order_id);

create table listings (
  company_id uuid not null,
  id uuid not null,
  mall_account_id uuid not null,
  item_id uuid not null,
  condition text not null,
  -- The mall's own name for it: how a mall order's line finds our item.
  mall_sku text not null,
  wanted_qty integer not null default 0 check (wanted_qty >= 0),
  pushed_qty integer,
  wanted_price_yen bigint not null check (wanted_price_yen >= 0),
  pushed_price_yen bigint,
  seq bigint not null default 0,
  pushed_at timestamptz,
  ended_at timestamptz,
  primary key (company_id, id),
  unique (company_id, mall_account_id, item_id, condition),
  unique (company_id, mall_account_id, mall_sku),
  foreign key (company_id, mall_account_id) references mall_accounts,
  foreign key (company_id, item_id, condition) references item_conditions
);
create index listings_by_item on listings (company_id, item_id, condition);

create table mall_orders (
  company_id uuid not null,
  mall_account_id uuid not null,
  mall_order_no text not null,
  order_id uuid,
  raw jsonb not null,
  fetched_at timestamptz not null default now(),
  primary key (company_id, mall_account_id, mall_order_no),
  foreign key (company_id, mall_account_id) references mall_accounts,
  foreign key (company_id, order_id) references orders
);

${tenant(["mall_accounts", "listings", "shipment_lines"])}
${tenant(["orders", "shipments", "payments", "mall_orders"], { rights: "select, insert, update" })}
${tenant(["order_lines", "order_taxes"], { appendOnly: true })}
${storeWrites(["shipments"])}

create policy lookup on mall_accounts for select to noren_lookup using (true);
grant select on mall_accounts to noren_lookup;
create function mall_account_by_mail(key text)
returns table (company_id uuid, mall_account_id uuid)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$ select a.company_id, a.id from mall_accounts a where a.mail_key = key and a.closed_at is null $$;
`;
