import { login, role, workload } from "./login.ts";

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

export const sql = `
${role("noren_app", "nologin")}
${role("noren_lookup", "nologin")}
-- Reviewers and backups aside, only the owner may create objects: a table made by a workload would escape the policies.
revoke create on schema public from public;
grant usage on schema public to noren_app, noren_lookup;
${Object.entries(workloads)
  .map(([name, { statement }]) => workload(name, statement))
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
