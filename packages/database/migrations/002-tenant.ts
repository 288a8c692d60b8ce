import { storeWrites, tenant } from "./rls.ts";

export const sql = `
create table companies (
  id uuid primary key,
  code text not null unique check (code ~ '^[a-z0-9-]{2,32}$'),
  name text not null,
  invoice_no text check (invoice_no ~ '^T[0-9]{13}$'),
  tax_rounding text not null default 'floor' check (tax_rounding in ('floor', 'round', 'ceil')),
  antique_permit_no text,
  antique_authority text,
  storefront_host text unique,
  contact_email text,
  bank_account text,
  shipping_yen bigint not null default 0 check (shipping_yen >= 0),
  legal jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create table stores (
  company_id uuid not null references companies,
  id uuid not null,
  code text not null check (code ~ '^[a-z0-9-]{1,32}$'),
  name text not null,
  address text,
  phone text,
  day_starts_at time not null default '05:00',
  ships_online boolean not null default false,
  allocation_rank integer not null default 100,
  primary key (company_id, id),
  unique (company_id, code)
);

create table staff (
  company_id uuid not null references companies,
  id uuid not null,
  code text not null,
  name text not null,
  role text not null check (role in ('owner', 'manager', 'clerk')),
  pin_hash text not null,
  failed integer not null default 0 check (failed >= 0),
  locked_until timestamptz,
  retired_at timestamptz,
  primary key (company_id, id),
  unique (company_id, code)
);

-- No row: the person may work in every store.
create table staff_stores (
  company_id uuid not null,
  staff_id uuid not null,
  store_id uuid not null,
  primary key (company_id, staff_id, store_id),
  foreign key (company_id, staff_id) references staff,
  foreign key (company_id, store_id) references stores
);

create table registers (
  company_id uuid not null,
  id uuid not null,
  store_id uuid not null,
  code text not null check (code ~ '^[a-z0-9-]{1,16}$'),
  device_hash text unique,
  enrolment_hash text unique,
  enrolment_expires_at timestamptz,
  enrolled_at timestamptz,
  last_seq integer not null default 0 check (last_seq >= 0),
  primary key (company_id, id),
  unique (company_id, store_id, code),
  foreign key (company_id, store_id) references stores
);

-- The country's rates, so no company: a new rate is one row.
create table tax_rates (
  tax_class text not null check (tax_class in ('standard', 'reduced', 'exempt')),
  valid daterange not null,
  rate_pct integer not null check (rate_pct between 0 and 30),
  exclude using gist (tax_class with =, valid with &&)
);
grant select on tax_rates to noren_app;
insert into tax_rates (tax_class, valid, rate_pct) values
  ('standard', '[2014-04-01,2019-10-01)', 8),
  ('standard', '[2019-10-01,)', 10),
  ('reduced', '[2014-04-01,)', 8),
  ('exempt', '[2014-04-01,)', 0);

${tenant(["companies"], { column: "id", rights: "select, update" })}
${tenant(["stores", "staff", "staff_stores", "registers"])}
${storeWrites(["registers"])}

-- Before the company is known (a device's token, a storefront's name) nothing is visible. These functions, and no
-- others, map what the caller already holds to a company. Their owner sees two tables and cannot log in.
create policy lookup on companies for select to noren_lookup using (true);
create policy lookup on registers for select to noren_lookup using (true);
grant select on companies, registers to noren_lookup;

create function register_by_device(hash text)
returns table (company_id uuid, store_id uuid, register_id uuid)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$ select r.company_id, r.store_id, r.id from registers r where r.device_hash = hash $$;

create function register_by_enrolment(hash text)
returns table (company_id uuid, store_id uuid, register_id uuid)
language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$ select r.company_id, r.store_id, r.id from registers r
      where r.enrolment_hash = hash and (r.enrolment_expires_at is null or r.enrolment_expires_at > now()) $$;

create function company_by_storefront(host text, company_code text)
returns uuid
language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$ select c.id from companies c where c.storefront_host = host or c.code = company_code
      order by c.storefront_host = host desc nulls last limit 1 $$;

create function company_ids()
returns setof uuid
language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$ select c.id from companies c order by c.id $$;
`;
