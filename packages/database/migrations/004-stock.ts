import { storeWrites, tenant } from "./rls.ts";

export const sql = `
-- On hand may go below 0: what lies on the counter can be sold, whatever the books say.
create table stock_levels (
  company_id uuid not null,
  product_id uuid not null,
  on_hand integer not null default 0,
  reserved integer not null default 0 check (reserved >= 0),
  available integer not null generated always as (on_hand - reserved) stored,
  seq bigint not null default 0,
  primary key (company_id, product_id),
  foreign key (company_id, product_id) references products
) with (fillfactor = 80);

-- A product without a level would vanish from every list that joins the two.
create function open_stock_level() returns trigger language plpgsql as $$
begin
  insert into stock_levels (company_id, product_id) values (new.company_id, new.id);
  return null;
end $$;
create trigger open_stock_level after insert on products for each row execute function open_stock_level();

create table stock_moves (
  company_id uuid not null,
  id uuid not null,
  product_id uuid not null,
  qty integer not null check (qty <> 0),
  kind text not null check (kind in
    ('opening', 'receive', 'buyback', 'sale', 'void', 'refund', 'ship', 'return', 'count', 'adjust')),
  source_type text not null,
  source_id uuid not null,
  line_no integer not null,
  unit_cost_yen bigint check (unit_cost_yen >= 0),
  occurred_at timestamptz not null,
  recorded_at timestamptz not null default now(),
  primary key (company_id, id),
  -- A repeated posting of the same line is one row, so a redelivered event is harmless.
  unique (company_id, source_type, source_id, line_no, kind),
  foreign key (company_id, product_id) references products
);
create index stock_moves_by_product on stock_moves (company_id, product_id, occurred_at);

create table reservations (
  company_id uuid not null,
  id uuid not null,
  product_id uuid not null,
  owner_type text not null check (owner_type in ('sale', 'order')),
  owner_id uuid not null,
  line_no integer not null,
  qty integer not null check (qty > 0),
  state text not null default 'held' check (state in ('held', 'consumed', 'released')),
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (company_id, id),
  foreign key (company_id, product_id) references products,
  check ((state = 'held') = (ended_at is null))
);
create unique index reservations_held on reservations (company_id, owner_type, owner_id, line_no, product_id)
  where state = 'held';
create index reservations_by_product on reservations (company_id, product_id) where state = 'held';

create table receivings (
  company_id uuid not null,
  id uuid not null,
  store_id uuid not null,
  supplier_name text,
  staff_id uuid,
  state text not null default 'received' check (state in ('received')),
  received_at timestamptz not null,
  primary key (company_id, id),
  foreign key (company_id, store_id) references stores,
  foreign key (company_id, staff_id) references staff
);

create table receiving_lines (
  company_id uuid not null,
  receiving_id uuid not null,
  line_no integer not null check (line_no > 0),
  product_id uuid not null,
  qty integer not null check (qty > 0),
  unit_cost_yen bigint not null check (unit_cost_yen >= 0),
  primary key (company_id, receiving_id, line_no),
  foreign key (company_id, receiving_id) references receivings,
  foreign key (company_id, product_id) references products
);

${tenant(["stock_levels", "reservations", "receivings"], { rights: "select, insert, update" })}
${tenant(["stock_moves", "receiving_lines"], { appendOnly: true })}
${storeWrites(["receivings"])}
`;
