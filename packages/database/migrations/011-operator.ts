import { login } from "./login.ts";

// Who looks after queues by hand (`pnpm ops`): reaches what waits between the workloads, and nothing of the shop. What it
// does is written down for us (operator_log) and, where it takes something from a company, in the company's audit_log.
export const sql = `
create table operator_log (
  id         uuid primary key,
  at         timestamptz not null default clock_timestamp(),
  -- The login behind the connection cannot be chosen by who writes the row; the name is what the operator's tool found.
  login      text not null default session_user,
  actor      text not null,
  approver   text,
  action     text not null,
  workload   text,
  subject    text,
  reason     text,
  detail     jsonb not null default '{}'
);
comment on table operator_log is 'What operators did to messages, one row per message or group. Never changed.';
create index operator_log_by_time on operator_log (at);
create trigger append_only before update or delete on operator_log for each row execute function refuse_change();

${login("noren_operator", "30s")}
grant usage on schema public to noren_operator;
grant select, insert on consumer, inbox to noren_operator;
grant select, insert (id, actor, approver, action, workload, subject, reason, detail) on operator_log to noren_operator;
grant select, insert, update, delete on parked_group, parked, attempt to noren_operator;
grant select, update, delete on outbox to noren_operator;
grant select on relay_member to noren_operator;
grant insert on audit_log to noren_operator;
`;
