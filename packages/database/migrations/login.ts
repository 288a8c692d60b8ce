/** SQL that makes a role unless it is there. Part of released migrations: its text never changes. */
export const role = (name: string, options: string) => `
do $$ begin create role ${name} ${options};
exception when duplicate_object or unique_violation then null; end $$;`;

// Roles belong to the cluster, not to the database, so they may be there already. No role has a password: in AWS the
// password is an IAM token (rds_iam), on a laptop PostgreSQL trusts the loopback address.
/** SQL for a role that logs in, with its longest statement. Part of released migrations: its text never changes. */
export const login = (name: string, statement: string) => `${role(name, "login noinherit")}
alter role ${name} inherit;
alter role ${name} set statement_timeout = '${statement}';
alter role ${name} set idle_in_transaction_session_timeout = '10s';
alter role ${name} set lock_timeout = '5s';
do $$ begin
  if exists (select from pg_roles where rolname = 'rds_iam') then grant rds_iam to ${name}; end if;
end $$;`;

/** SQL for a workload's own role: its name with underscores, which is also DATABASE_USER in its manifest. Text never changes. */
export const workload = (name: string, statement = "30s") =>
  `${login(name, statement)}\ngrant noren_app to ${name};`;
