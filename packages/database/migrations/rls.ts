const setting = (name: string) => `nullif(current_setting('${name}', true), '')`;

type Options = {
  /** Rights of noren_app; documents that are never deleted leave `delete` out. */
  rights?: string;
  /** Refuses update and delete to everyone, the owner included. */
  appendOnly?: boolean;
  column?: string;
};

/**
 * SQL that closes tables to everyone but one company: row-level security, forced on the owner too, one policy by
 * `company_id`, and the rights that noren_app needs. nullif, because after a transaction the setting is '' and not null.
 */
export function tenant(tables: string[], options: Options = {}): string {
  const { appendOnly = false, column = "company_id" } = options;
  const rights = options.rights ?? (appendOnly ? "select, insert" : "select, insert, update, delete");
  return tables
    .map(
      (table) => `
alter table ${table} enable row level security;
alter table ${table} force row level security;
create policy company on ${table}
  using (${column} = ${setting("app.company_id")}::uuid)
  with check (${column} = ${setting("app.company_id")}::uuid);
grant ${rights} on ${table} to noren_app;
${appendOnly ? `create trigger append_only before update or delete on ${table} for each row execute function refuse_change();` : ""}`,
    )
    .join("");
}

/**
 * SQL for tables with a `store_id`: whoever works under `app.store_ids` (staff with fixed stores) reads every store of
 * the company but writes only to those. Restrictive, so it narrows the company policy and never widens it.
 */
export function storeWrites(tables: string[]): string {
  const allowed = `${setting("app.store_ids")} is null or store_id = any(${setting("app.store_ids")}::uuid[])`;
  return tables
    .map(
      (table) => `
create policy store_insert on ${table} as restrictive for insert with check (${allowed});
create policy store_update on ${table} as restrictive for update using (${allowed}) with check (${allowed});
create policy store_delete on ${table} as restrictive for delete using (${allowed});
`,
    )
    .join("");
}
