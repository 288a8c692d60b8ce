import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import type { ClientBase } from "pg";

type Column = {
  table: string;
  column: string;
  type: string;
  required: boolean;
  optional: boolean;
  generated: boolean;
  check: string | null;
};

const scalars: Record<string, string> = {
  uuid: "string",
  text: "string",
  citext: "string",
  smallint: "number",
  integer: "number",
  bigint: "number",
  real: "number",
  boolean: "boolean",
  date: "string",
  daterange: "string",
  "time without time zone": "string",
  "timestamp with time zone": "Timestamp",
  jsonb: "Json",
  bytea: "Buffer",
};

/**
 * The text of `schema.ts` for the database as it is: one type per table, unions from `check (… in (…))`.
 * Throws when a column has a type that it does not know.
 */
export async function schemaTypes(client: ClientBase): Promise<string> {
  const { rows } = await client.query<Column>(`
    select c.relname as table, a.attname as column, format_type(a.atttypid, null) as type,
      a.attnotnull as required, a.atthasdef or a.attidentity <> '' as optional,
      a.attgenerated <> '' or a.attidentity = 'a' as generated,
      (select pg_get_constraintdef(k.oid) from pg_constraint k
        where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]
          and pg_get_constraintdef(k.oid) like '%= ANY (ARRAY[%' limit 1) as check
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    order by c.relname collate "C", a.attnum`);
  const tables = [...Map.groupBy(rows, ({ table }) => table)];
  return `// Generated from the migrated database by \`node schema-types.ts\`; a test proves that it is current.
import type { ColumnType, GeneratedAlways } from "kysely";

type Timestamp = ColumnType<Date, Date | string, Date | string>;
/** Written as JSON text (\`JSON.stringify\`): given an array, pg would send a PostgreSQL array. */
// oxlint-disable-next-line typescript/no-explicit-any
type Json = ColumnType<any, string, string>;
type Generated<T> =
  T extends ColumnType<infer S, infer I, infer U>
    ? ColumnType<S, I | undefined, U>
    : ColumnType<T, T | undefined, T>;

export interface Schema {
${tables.map(([table, columns]) => `  ${table}: {\n${columns.map(line).join("")}  };\n`).join("")}}
`;
}

function line({ table, column, type, required, optional, generated, check }: Column): string {
  const scalar = scalars[type];
  if (!scalar)
    throw new Error(`schema-types.ts does not know the type ${type} of ${table}.${column}; add it there.`);
  const values =
    check === null ? [] : [...check.matchAll(/'([^']+)'::text/g)].map(([, value]) => `"${value}"`);
  const all = [...(values.length > 0 ? values : [scalar]), ...(required ? [] : ["null"])];
  const whole = all.join(" | ");
  const wrapper = generated ? "GeneratedAlways" : optional ? "Generated" : undefined;
  const text = `    ${column}: ${wrapper ? `${wrapper}<${whole}>` : whole};\n`;
  // As the formatter would break it.
  return text.length > 111 && !wrapper ? `    ${column}:\n      | ${all.join("\n      | ")};\n` : text;
}

async function main(): Promise<void> {
  const { testDatabase } = await import("./testing.ts");
  const test = await testDatabase();
  const client = await test.owner.pool.connect();
  await writeFile(new URL("schema.ts", import.meta.url), await schemaTypes(client));
  client.release();
  await test.drop();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
