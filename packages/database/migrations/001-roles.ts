/** Every workload that may log in, with the longest statement and the longest idle transaction it may have. */
const workloads = {
  backend_api: { statement: "5s" },
  worker_transaction: { statement: "30s" },
  worker_product: { statement: "30s" },
  worker_item: { statement: "30s" },
  worker_ec_order: { statement: "30s" },
  worker_external_ec: { statement: "30s" },
  worker_notification: { statement: "30s" },
  worker_scheduled: { statement: "30s" },
  job_daily: { statement: "30s" },
  job_ensure_consistency: { statement: "30s" },
};

const role = (name: string, options: string) => `
do $$ begin create role ${name} ${options};
exception when duplicate_object or unique_violation then null; end $$;`;

// Roles belong to the cluster, not to the database, so they may be there already. No role has a password: in AWS the
// password is an IAM token (rds_iam), on a laptop PostgreSQL trusts the loopback address.
const login = (name: string, statement: string) => `${role(name, "login noinherit")}
alter role ${name} inherit;
alter role ${name} set statement_timeout = '${statement}';
alter role ${name} set idle_in_transaction_session_timeout = '10s';
alter role ${name} set lock_timeout = '5s';
do $$ begin
  if exists (select from pg_roles where rolname = 'rds_iam') then grant rds_iam to ${name}; end if;
end $$;`;

export const sql = `
${role("noren_app", "nologin")}
${role("noren_lookup", "nologin")}
-- Reviewers and backups aside, only the owner may create objects: a table made by a workload would escape the policies.
revoke create on schema public from public;
grant usage on schema public to noren_app, noren_lookup;
${Object.entries(workloads)
  .map(([name, { statement }]) => `${login(name, statement)}\ngrant noren_app to ${name};`)
  .join("\n")}
${login("backend_outbox", "30s")}
grant usage on schema public to backend_outbox;

create extension if not exists btree_gist;
create extension if not exists pg_trgm;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'Rows of % are never changed; write a new one that corrects it', tg_table_name
    using errcode = 'restrict_violation';
end $$;
`;
