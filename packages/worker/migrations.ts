/**
 * The tables of the consumer engine, in order, each to run once in a transaction by the owner of the schema. They grant
 * nothing: run `grants()` afterwards.
 */
export const migrations: { name: string; sql: string }[] = [
  {
    name: "worker-1",
    sql: `
create table consumer (
  id   smallint generated always as identity primary key,
  name text not null unique
);
comment on table consumer is 'Consumers by number; each fills in its own row when it starts.';

create table inbox (
  event_id uuid not null,
  consumer smallint not null,
  primary key (event_id, consumer)
) partition by range (event_id);
create table inbox_stray partition of inbox default;
comment on table inbox is 'Which consumer has handled (or parked) which event. One partition per day of the UUIDv7 event id.';
comment on table inbox_stray is 'Event ids outside every day that has a partition. Should stay empty.';

create table parked_group (
  consumer  smallint not null references consumer,
  group_id  text not null,
  reason    text not null,
  parked_at timestamptz not null default clock_timestamp(),
  primary key (consumer, group_id)
);
comment on table parked_group is 'Groups whose messages wait in parked, in order, until somebody replays them.';

create table parked (
  consumer  smallint not null,
  group_id  text not null,
  n         bigint generated always as identity,
  event_id  uuid,
  type      text,
  body      text not null,
  error     text,
  attempts  smallint not null default 0,
  parked_at timestamptz not null default clock_timestamp(),
  primary key (consumer, group_id, n),
  foreign key (consumer, group_id) references parked_group on delete cascade
);

create table attempt (
  event_id   uuid not null,
  consumer   smallint not null,
  n          smallint not null,
  running    boolean not null,
  started_at timestamptz not null default clock_timestamp(),
  primary key (event_id, consumer)
);
comment on table attempt is 'Second and later receives that were started: one still running at the last receive ended a process.';

-- The smallest UUIDv7 of a moment.
create function inbox_bound(at timestamptz) returns uuid language sql immutable strict parallel safe as $$
  select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Creates what is missing of the daily partitions from three days ago to days_ahead days ahead; returns how many.
-- Security definer, because only the owner may attach partitions and the consumers are not the owner.
create function inbox_partitions(days_ahead integer default 7) returns integer
language plpgsql security definer set search_path from current set timezone = 'UTC' as $$
declare
  today date := (clock_timestamp() at time zone 'UTC')::date;
  day date;
  name text;
  created integer := 0;
begin
  for day in select generate_series(today - 3, today + least(days_ahead, 60), interval '1 day')::date loop
    name := 'inbox_' || to_char(day, 'YYYYMMDD');
    continue when to_regclass(name) is not null;
    perform pg_advisory_xact_lock(hashtext('inbox_partitions'));
    continue when to_regclass(name) is not null;
    execute format('create table %I (like inbox including all)', name);
    execute format(
      'with moved as (delete from inbox_stray where event_id >= %L and event_id < %L returning *)
       insert into %I select * from moved',
      inbox_bound(day::timestamptz), inbox_bound((day + 1)::timestamptz), name);
    execute format('alter table inbox attach partition %I for values from (%L) to (%L)',
      name, inbox_bound(day::timestamptz), inbox_bound((day + 1)::timestamptz));
    created := created + 1;
  end loop;
  return created;
end $$;

-- Drops the daily partitions older than keep_days (35 = 14 days in the queue, 14 in the dead letter queue, slack);
-- returns how many. Never fewer than 29 days: a message that is still in a queue would be handled twice.
create function inbox_retire(keep_days integer default 35) returns integer
language plpgsql security definer set search_path from current as $$
declare
  oldest text := 'inbox_' || to_char((clock_timestamp() at time zone 'UTC')::date - greatest(keep_days, 29), 'YYYYMMDD');
  name text;
  dropped integer := 0;
begin
  set local lock_timeout = '2s';
  for name in
    select relname from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'inbox'::regclass and relname ~ '^inbox_\\d{8}$' and relname < oldest order by relname
  loop
    execute format('drop table %I', name);
    dropped := dropped + 1;
  end loop;
  -- What was given up on (dead-lettered by hand, say) leaves its row behind.
  delete from attempt where started_at < clock_timestamp() - make_interval(days => greatest(keep_days, 29));
  return dropped;
end $$;

revoke execute on function inbox_partitions(integer), inbox_retire(integer) from public;
select inbox_partitions();
`,
  },
  {
    name: "worker-2",
    sql: `
alter table parked_group
  add column replay_at timestamptz,
  add column replay_rate real check (replay_rate > 0),
  add column replaying text;
create index parked_group_replay on parked_group (consumer, replay_at) where replay_at is not null;
comment on column parked_group.replay_at is 'Somebody asked to replay the group; a running consumer does so from this moment on.';
comment on column parked_group.replay_rate is 'At most so many messages a second and process; null: as fast as it goes.';
comment on column parked_group.replaying is 'The process that is handling the first message. Without its advisory lock, it ended while it did.';
`,
  },
  {
    name: "worker-3",
    // A partition is missing unless it is in the schema of the inbox: another one may have partitions of the same names.
    sql: `
create or replace function inbox_partitions(days_ahead integer default 7) returns integer
language plpgsql security definer set search_path from current set timezone = 'UTC' as $$
declare
  today date := (clock_timestamp() at time zone 'UTC')::date;
  day date;
  name text;
  created integer := 0;
begin
  for day in select generate_series(today - 3, today + least(days_ahead, 60), interval '1 day')::date loop
    name := 'inbox_' || to_char(day, 'YYYYMMDD');
    continue when to_regclass(format('%I.%I', current_schema(), name)) is not null;
    perform pg_advisory_xact_lock(hashtext('inbox_partitions'));
    continue when to_regclass(format('%I.%I', current_schema(), name)) is not null;
    execute format('create table %I (like inbox including all)', name);
    execute format(
      'with moved as (delete from inbox_stray where event_id >= %L and event_id < %L returning *)
       insert into %I select * from moved',
      inbox_bound(day::timestamptz), inbox_bound((day + 1)::timestamptz), name);
    execute format('alter table inbox attach partition %I for values from (%L) to (%L)',
      name, inbox_bound(day::timestamptz), inbox_bound((day + 1)::timestamptz));
    created := created + 1;
  end loop;
  return created;
end $$;
`,
  },
];

/**
 * SQL that lets `consumers` (a role, often a group of the applications) handle, park and replay messages and look after
 * the partitions. Idempotent; run by the owner.
 */
export function grants({ consumers }: { consumers: string }): string {
  const role = `"${consumers.replaceAll('"', '""')}"`;
  return `
grant select, insert on consumer to ${role};
grant select, insert on inbox to ${role};
grant select on inbox_stray to ${role};
grant select, insert, update, delete on parked_group, parked, attempt to ${role};
grant execute on function inbox_partitions(integer), inbox_retire(integer) to ${role};
`;
}
