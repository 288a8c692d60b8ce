import { storeWrites, tenant } from "./rls.ts";

export const sql = `
-- From the offer to the money: what was appraised, what the seller agreed to, what was paid and when.
create table buybacks (
  company_id uuid not null,
  id uuid not null,
  store_id uuid not null,
  state text not null default 'appraised' check (state in ('appraised', 'agreed', 'paid_out', 'declined')),
  -- Of all lines until the seller agrees, then of the accepted ones.
  total_yen bigint not null check (total_yen >= 0),
  identity_duty boolean not null,
  -- No foreign key: the record goes when its time is over, the buy-back stays.
  identity_id uuid,
  appraised_by uuid not null,
  appraised_at timestamptz not null,
  agreed_at timestamptz,
  payout_id uuid,
  session_id uuid,
  business_date date,
  paid_by uuid,
  paid_at timestamptz,
  declined_by uuid,
  declined_at timestamptz,
  decline_reason text check (decline_reason <> ''),
  police_report boolean not null default false,
  primary key (company_id, id),
  unique (company_id, payout_id),
  foreign key (company_id, store_id) references stores,
  foreign key (company_id, session_id) references register_sessions,
  foreign key (company_id, appraised_by) references staff,
  foreign key (company_id, paid_by) references staff,
  foreign key (company_id, declined_by) references staff,
  constraint buybacks_paid check
    (num_nulls(payout_id, session_id, business_date, paid_by, paid_at) = case when state = 'paid_out' then 0 else 5 end),
  constraint buybacks_declined check
    (num_nulls(declined_by, declined_at, decline_reason) = case when state = 'declined' then 0 else 3 end),
  constraint buybacks_agreed check (state not in ('agreed', 'paid_out') or agreed_at is not null),
  constraint buybacks_police check (not police_report or state = 'declined'),
  -- 古物営業法: from 10,000 yen identity is a duty, and what is paid under the duty has one.
  constraint buybacks_duty check (total_yen < 10000 or identity_duty),
  constraint buybacks_identity check (state <> 'paid_out' or not identity_duty or identity_id is not null)
);
create index buybacks_by_day on buybacks (company_id, store_id, business_date);

-- A page of the antique ledger is never rewritten.
create trigger ended before update on buybacks
  for each row when (old.state in ('paid_out', 'declined')) execute function refuse_change();

create table buyback_lines (
  company_id uuid not null,
  buyback_id uuid not null,
  line_no integer not null check (line_no > 0),
  item_id uuid not null,
  condition text not null,
  -- As they were that day: the catalogue goes on, the ledger does not.
  name text not null,
  category text not null,
  identity_always boolean not null,
  features text check (features <> ''),
  qty integer not null check (qty > 0),
  unit_price_yen bigint not null check (unit_price_yen >= 0),
  -- Null until the seller has agreed.
  accepted boolean,
  primary key (company_id, buyback_id, line_no),
  foreign key (company_id, buyback_id) references buybacks,
  foreign key (company_id, item_id, condition) references item_conditions
);

create function keep_buyback_line() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.accepted is null and new.accepted is not null
      and to_jsonb(new) - 'accepted' = to_jsonb(old) - 'accepted' then
    return new;
  end if;
  raise exception 'Rows of % are never changed, but that the seller accepts each once', tg_table_name
    using errcode = 'restrict_violation';
end $$;
create trigger append_only before update or delete on buyback_lines for each row execute function keep_buyback_line();

-- Who sold. Corrected by a new record; deleted when the law no longer wants it kept.
create table buyback_identities (
  company_id uuid not null,
  id uuid not null,
  buyback_id uuid not null,
  name text not null check (name <> ''),
  address text not null check (address <> ''),
  occupation text not null check (occupation <> ''),
  birth_date date not null,
  document_kind text not null check (document_kind in
    ('driving_licence', 'my_number_card', 'passport', 'residence_card', 'health_insurance', 'student_id', 'other')),
  document_no text check (document_no <> ''),
  guardian_consent text check (guardian_consent <> ''),
  checked_by uuid not null,
  checked_at timestamptz not null,
  keep_until date not null,
  primary key (company_id, id),
  foreign key (company_id, buyback_id) references buybacks,
  foreign key (company_id, checked_by) references staff,
  -- The law forbids to keep these numbers.
  constraint buyback_identities_no_number check
    (document_no is null or document_kind not in ('my_number_card', 'health_insurance'))
);
create index buyback_identities_by_buyback on buyback_identities (company_id, buyback_id);
create index buyback_identities_by_age on buyback_identities (company_id, keep_until);
create trigger append_only before update on buyback_identities for each row execute function refuse_change();
create trigger kept before delete on buyback_identities
  for each row when (old.keep_until >= current_date) execute function refuse_change();

-- What the checks of one row cannot see, checked at commit and whoever wrote: the money is that of the accepted lines,
-- the duty is not talked away, and the identity is this seller's.
create function check_buyback() returns trigger language plpgsql as $$
declare
  accepted_yen bigint;
  always boolean;
begin
  select coalesce(sum(qty * unit_price_yen), 0), coalesce(bool_or(identity_always), false) into accepted_yen, always
    from buyback_lines where company_id = new.company_id and buyback_id = new.id and accepted;
  if accepted_yen <> new.total_yen then
    raise exception 'Buy-back % does not add up: total %, accepted lines %', new.id, new.total_yen, accepted_yen
      using errcode = 'check_violation';
  end if;
  if always and not new.identity_duty then
    raise exception 'Buy-back % holds goods that always need identity', new.id using errcode = 'check_violation';
  end if;
  if new.identity_duty and not exists (select from buyback_identities
      where company_id = new.company_id and id = new.identity_id and buyback_id = new.id) then
    raise exception 'Buy-back % has no identity record of its own', new.id using errcode = 'check_violation';
  end if;
  return null;
end $$;
create constraint trigger check_buyback after insert or update on buybacks
  deferrable initially deferred for each row when (new.state = 'paid_out') execute function check_buyback();

-- What the drawer paid for goods is no negative sale: it counts beside the day's sales.
alter table daily_totals
  add column buybacks_count integer not null default 0,
  add column buyback_yen bigint not null default 0;

${tenant(["buybacks"], { rights: "select, insert, update" })}
${tenant(["buyback_lines"], { rights: "select, insert, update (accepted)" })}
${storeWrites(["buybacks"])}

-- Nobody reads who sold but the service that writes it down; the daily job sees how old a record is, and deletes it.
${tenant(["buyback_identities"], { rights: "select" })}
revoke all on buyback_identities from noren_app;
grant select, insert on buyback_identities to backend_api;
grant select (company_id, keep_until), delete on buyback_identities to job_daily;
`;
