import { pathToFileURL } from "node:url";
import { sql } from "kysely";
import { z } from "zod";
import { connect, databaseEnv, type Database } from "./connect.ts";
import { demo } from "./demo.ts";
import { fillDemo, fillOther } from "./demo-shop.ts";
import { inCompany } from "./tenant.ts";

export { demo } from "./demo.ts";

/**
 * Fills a migrated database with the demo companies, as its owner; what is there already is left alone, so a second run
 * changes nothing. The same `now` gives the same data: names, prices and stock come from a seeded generator, ids from
 * their keys. Yesterday's sales and an order of two hours ago hang on `now`, so that the shop looks open.
 *
 * Returns the names of the companies it created.
 */
export async function seed(owner: Database, now = new Date()): Promise<string[]> {
  const created: string[] = [];
  for (const [company, fill] of [
    [demo.company, fillDemo],
    [demo.otherCompany, fillOther],
  ] as const) {
    await inCompany(owner, company.id, async (tx) => {
      const known = await tx.selectFrom("companies").select("id").executeTakeFirst();
      if (known) return;
      await fill(tx, now);
      // The demo begins as if all of this had been published long ago. Only the owner may take events back.
      await sql`delete from outbox where xmin = pg_current_xact_id()::xid`.execute(tx);
      created.push(company.name);
    });
  }
  return created;
}

/** What a newcomer needs to try the demo, in the order in which it is needed. */
export const notes: { label: string; value: string }[] = [
  { label: "レジの登録コード(本店 1番)", value: demo.registers[0].enrolmentCode },
  { label: "担当者コード / 暗証番号(山田 花・本店)", value: `${demo.staff[2].code} / ${demo.staff[2].pin}` },
  { label: "担当者コード / 暗証番号(店長)", value: `${demo.staff[1].code} / ${demo.staff[1].pin}` },
  { label: "スキャンする商品(10%・本店に在庫あり)", value: `${demo.scan.book.code} ${demo.scan.book.name}` },
  { label: "スキャンする商品(軽減8%)", value: `${demo.scan.snack.code} ${demo.scan.snack.name}` },
  {
    label: "モールで注文できる商品コード / 状態",
    value: `${demo.scan.book.code} / ${demo.scan.book.condition}`,
  },
];

/** `node seed.ts`: fills the database that DATABASE_* name, as DATABASE_USER (the owner); JSON lines, the notes last. */
async function main(): Promise<void> {
  const database = connect(z.object(databaseEnv).parse(process.env), { max: 1 });
  const log = (message: string, fields: object = {}) =>
    console.log(
      JSON.stringify({
        time: new Date().toISOString(),
        level: "info",
        service: "seed",
        msg: message,
        ...fields,
      }),
    );
  try {
    const created = await seed(database);
    if (created.length === 0) log("The demo data are there already.");
    else log("Filled the database with demo data.", { companies: created });
    console.log(JSON.stringify({ notes }));
  } finally {
    await database.close();
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
