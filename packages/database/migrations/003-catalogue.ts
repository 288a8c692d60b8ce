import { storeWrites, tenant } from "./rls.ts";

export const sql = `
create table categories (
  company_id uuid not null references companies,
  id uuid not null,
  code text not null check (code ~ '^[a-z0-9-]{1,32}$'),
  name text not null,
  parent_id uuid,
  tax_class text not null check (tax_class in ('standard', 'reduced', 'exempt')),
  identity_always boolean not null default false,
  position integer not null default 0,
  primary key (company_id, id),
  unique (company_id, code),
  foreign key (company_id, parent_id) references categories
);

create table conditions (
  company_id uuid not null references companies,
  code text not null check (length(code) between 1 and 16),
  name text not null,
  rank integer not null,
  primary key (company_id, code)
);

create table items (
  company_id uuid not null references companies,
  id uuid not null,
  code text not null check (length(code) between 1 and 32),
  name text not null,
  kana text,
  category_id uuid not null,
  tax_class text not null check (tax_class in ('standard', 'reduced', 'exempt')),
  maker text,
  released_on date,
  list_price_yen bigint check (list_price_yen >= 0),
  attrs jsonb not null default '{}',
  revision integer not null default 1,
  retired_at timestamptz,
  search_text text not null default '',
  created_at timestamptz not null default now(),
  primary key (company_id, id),
  unique (company_id, code),
  foreign key (company_id, category_id) references categories
);
create index items_by_category on items (company_id, category_id);
create index items_search on items using gin (search_text gin_trgm_ops);

create table item_conditions (
  company_id uuid not null,
  item_id uuid not null,
  condition text not null,
  primary key (company_id, item_id, condition),
  foreign key (company_id, item_id) references items,
  foreign key (company_id, condition) references conditions
);

create table products (
  company_id uuid not null,
  id uuid not null,
  store_id uuid not null,
  item_id uuid not null,
  condition text not null,
  price_yen bigint not null check (price_yen >= 0),
  online boolean not null default true,
  safety_qty integer not null default 0 check (safety_qty >= 0),
  closed_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (company_id, id),
  unique (company_id, store_id, item_id, condition),
  foreign key (company_id, store_id) references stores,
  foreign key (company_id, item_id, condition) references item_conditions
);
create index products_by_item on products (company_id, item_id);

${tenant(["categories", "conditions", "items", "item_conditions", "products"])}
${storeWrites(["products"])}
`;
