/**
 * The tables of the outbox, in order, each to run once in a transaction by the owner of the schema. They grant nothing:
 * run `grants()` afterwards.
 */
export const migrations: { name: string; sql: string }[] = [
  {
    name: "outbox-1",
    sql: `
create table outbox (
  id           bigint generated always as identity primary key,
  shard        smallint not null check (shard between 0 and 63),
  tenant       uuid not null,
  topic        text not null,
  group_id     text not null check (length(group_id) between 1 and 128),
  event_id     uuid not null,
  seq          bigint,
  type         text not null,
  version      smallint not null,
  payload      text not null check (octet_length(payload) <= 245760),
  traceparent  text,
  causation_id uuid,
  created_at   timestamptz not null default clock_timestamp(),
  attempts     smallint not null default 0,
  blocked_at   timestamptz,
  error        text
) with (fillfactor = 100, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
create index outbox_fair on outbox (shard, tenant, id);
create index outbox_blocked on outbox (group_id) where blocked_at is not null;
comment on table outbox is 'Events that are committed but not yet published. A relay deletes a row once the topic has it.';

create table relay_member (
  id      text primary key,
  pid     integer not null,
  shards  smallint not null default 0,
  since   timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
);
comment on table relay_member is 'Running relays. One is alive while its session (pid) holds the presence lock.';
`,
  },
  {
    name: "outbox-2",
    // What SNS would refuse for good is the writer's error. Rows from before are left to the relay.
    sql: `
alter table outbox
  add constraint outbox_group_id_printable check (group_id ~ '^[!-~]+$') not valid,
  add constraint outbox_type_named check (length(type) <= 256 and type ~ '^[!-~]+$') not valid;
`,
  },
];

/**
 * SQL that lets `writers` (a role, often a group of the applications) insert events, and `relay` publish them. Nobody
 * else can read an event before it is published. Idempotent; run by the owner.
 */
export function grants({ writers, relay }: { writers: string; relay: string }): string {
  return `
grant insert on outbox to ${quoted(writers)};
grant select, update, delete on outbox to ${quoted(relay)};
grant select, insert, update, delete on relay_member to ${quoted(relay)};
`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
