import { tenant } from "./rls.ts";

export const sql = `
create table schedules (
  company_id uuid not null references companies,
  id uuid not null,
  kind text not null check (kind in
    ('order.deadline', 'payment.inquiry', 'mall.poll', 'price.change', 'announcement', 'notification.retry')),
  subject_id text not null check (length(subject_id) between 1 and 128),
  due_at timestamptz not null,
  attempt integer not null default 0 check (attempt >= 0),
  state text not null default 'planned' check (state in ('planned', 'claimed', 'cancelled')),
  claimed_at timestamptz,
  primary key (company_id, id),
  unique (company_id, kind, subject_id, due_at),
  check ((state = 'claimed') = (claimed_at is not null))
);
create index schedules_due on schedules (due_at, company_id) where state = 'planned';

create table notifications (
  company_id uuid not null references companies,
  id uuid not null,
  kind text not null,
  channel text not null default 'email' check (channel in ('email')),
  recipient text not null,
  params jsonb not null default '{}',
  dedupe_key text not null,
  state text not null default 'pending' check (state in ('pending', 'sent', 'failed')),
  attempts integer not null default 0 check (attempts >= 0),
  provider_ref text,
  error text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  primary key (company_id, id),
  unique (company_id, dedupe_key),
  check ((state = 'sent') = (sent_at is not null))
);

create table notices (
  company_id uuid not null references companies,
  id uuid not null,
  store_id uuid,
  kind text not null,
  params jsonb not null default '{}',
  dedupe_key text not null,
  created_at timestamptz not null default now(),
  read_at timestamptz,
  primary key (company_id, id),
  unique (company_id, dedupe_key),
  foreign key (company_id, store_id) references stores
);

${tenant(["schedules", "notifications", "notices"])}

-- The one question that crosses companies: whose rows have come due. The rows themselves are claimed company by company.
create policy lookup on schedules for select to noren_lookup using (true);
grant select on schedules to noren_lookup;
create function companies_with_due_schedules()
returns setof uuid
language sql stable security definer set search_path = pg_catalog, public, pg_temp
as $$ select distinct s.company_id from schedules s where s.state = 'planned' and s.due_at <= now() $$;
`;
