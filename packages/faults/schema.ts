import type { Client } from "pg";
import * as outbox from "outbox";
import * as worker from "worker";

/**
 * What is compared at the end: `fact` is what was committed, `effect` what came of it, `run` every start of a handler
 * (committed at once, so it survives a rollback). `behaviour` tells handlers what to do with an event. `round` has every
 * round of every relay (four a second on a quiet machine), with how many shards nobody owned just then.
 */
const tables = `
create table aggregate (group_id text primary key, seq integer not null);
create table fact (event_id uuid primary key, group_id text not null, n integer not null);
create table effect (
  k bigint generated always as identity primary key,
  consumer text not null, event_id uuid not null, group_id text not null, n integer not null, extra text
);
create table run (
  k bigint generated always as identity primary key,
  consumer text not null, event_id uuid not null, pid integer not null,
  began timestamptz not null default clock_timestamp(), ended timestamptz
);
create table state (consumer text, group_id text, seq integer not null, primary key (consumer, group_id));
create table behaviour (group_id text, n integer, what text not null, primary key (group_id, n));
create table round (k bigint generated always as identity primary key, relay text not null, unowned integer not null);
create function note_round() returns trigger language plpgsql as $$ begin
  insert into round (relay, unowned)
  select new.id, 64 - count(distinct objid) from pg_locks
  where locktype = 'advisory' and objsubid = 2 and objid < 64 and granted
    and database = (select oid from pg_database where datname = current_database());
  return null;
end $$;
create trigger note_round after insert or update on relay_member for each row execute function note_round();
`;

/** Fills an empty database with the tables of both engines and those of the judge. */
export async function prepare(client: Client): Promise<void> {
  for (const { sql } of [...outbox.migrations, ...worker.migrations])
    await client.query(`begin; ${sql}; commit`);
  await client.query(tables);
}
