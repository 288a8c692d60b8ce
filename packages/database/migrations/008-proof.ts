import { storeWrites, tenant } from "./rls.ts";

export const sql = `
create table daily_totals (
  company_id uuid not null,
  store_id uuid not null,
  business_date date not null,
  sales_count integer not null default 0,
  voided_count integer not null default 0,
  items_qty integer not null default 0,
  gross_yen bigint not null default 0,
  tax_yen bigint not null default 0,
  by_rate jsonb not null default '[]',
  by_method jsonb not null default '[]',
  cash_yen bigint not null default 0,
  computed_at timestamptz not null default now(),
  primary key (company_id, store_id, business_date),
  foreign key (company_id, store_id) references stores
);

create table stock_snapshots (
  company_id uuid not null,
  product_id uuid not null,
  business_date date not null,
  on_hand integer not null,
  reserved integer not null,
  primary key (company_id, product_id, business_date),
  foreign key (company_id, product_id) references products
);

create table audit_log (
  company_id uuid not null references companies,
  id uuid not null,
  actor_type text not null check (actor_type in ('staff', 'device', 'system', 'customer')),
  actor_id text,
  action text not null,
  subject_type text not null,
  subject_id text not null,
  detail jsonb not null default '{}',
  occurred_at timestamptz not null default now(),
  primary key (company_id, id)
);
create index audit_log_by_subject on audit_log (company_id, subject_type, subject_id);

-- One row a request with an Idempotency-Key, written in the same transaction as its effect.
create table api_requests (
  company_id uuid not null references companies,
  key uuid not null,
  route text not null,
  request_hash text not null,
  status integer not null,
  response jsonb not null,
  created_at timestamptz not null default now(),
  primary key (company_id, key)
);
create index api_requests_by_age on api_requests (created_at);

${tenant(["daily_totals", "stock_snapshots", "api_requests"])}
${tenant(["audit_log"], { appendOnly: true })}
${storeWrites(["daily_totals"])}
`;
