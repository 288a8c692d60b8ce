import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import {
  bankTransferDeadline,
  businessDate,
  post,
  price,
  releaseAt,
  searchText,
  settle,
  taxes,
} from "@noren/commerce";
import { sql, type Insertable } from "kysely";
import { z } from "zod";
import { connect, databaseEnv, type Database } from "./connect.ts";
import { demo, demoId, epoch } from "./demo.ts";
import { conditions, demoCatalogue, demoPrice, type DemoItem } from "./demo-catalogue.ts";
import { hashEnrolmentCode, hashToken } from "./lookups.ts";
import { hashPin } from "./pin.ts";
import { plan } from "./schedules.ts";
import type { Schema } from "./schema.ts";
import { writeStock } from "./stock.ts";
import { inCompany, type Tx } from "./tenant.ts";

export { demo } from "./demo.ts";

type Product = {
  id: string;
  storeId: string;
  item: DemoItem;
  condition: string;
  priceYen: number;
  stock: number;
};

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

async function fillDemo(tx: Tx, now: Date): Promise<void> {
  const random = generator(20_261_124);
  const companyId = demo.company.id;
  const company = { company_id: companyId };
  await tx
    .insertInto("companies")
    .values({
      id: companyId,
      code: demo.company.code,
      name: demo.company.name,
      invoice_no: "T1234567890123",
      antique_permit_no: "第301234567890号",
      antique_authority: "東京都公安委員会",
      contact_email: "info@noren-do.example",
      bank_account: "のれん銀行 神田支店 普通 1234567 カ)ノレンドウ",
      shipping_yen: 500,
    })
    .execute();
  await fillPeople(tx, companyId);

  const { categories, items } = demoCatalogue(random);
  await insert(tx, "categories", categories, (category, position) => ({
    ...company,
    id: category.id,
    code: category.code,
    name: category.name,
    tax_class: category.taxClass,
    identity_always: category.identityAlways,
    position,
  }));
  await insert(tx, "conditions", conditions, ({ code, name }, rank) => ({ ...company, code, name, rank }));
  await insert(tx, "items", items, (item) => ({
    ...company,
    id: item.id,
    code: item.code,
    name: item.name,
    kana: item.kana,
    category_id: item.category.id,
    tax_class: item.category.taxClass,
    maker: item.maker,
    list_price_yen: item.listPriceYen,
    search_text: searchText(item),
    created_at: epoch,
  }));
  const pairs = items.flatMap((item) => item.conditions.map((condition) => ({ item, condition })));
  await insert(tx, "item_conditions", pairs, ({ item, condition }) => ({
    ...company,
    item_id: item.id,
    condition,
  }));

  const products = Object.values(demo.stores).flatMap((store) =>
    pairs.flatMap(({ item, condition }) => product(store, item, condition, random)),
  );
  await insert(tx, "products", products, ({ id, storeId, item, condition, priceYen }) => ({
    ...company,
    id,
    store_id: storeId,
    item_id: item.id,
    condition,
    price_yen: priceYen,
    created_at: epoch,
  }));
  for (const store of Object.values(demo.stores)) await openStock(tx, companyId, store, products);

  await fillSales(tx, companyId, products, now, random);
  await fillOrder(tx, companyId, products, now);
  await fillMall(tx, companyId, pairs, products);
}

/** A store's piece of the catalogue: most items, not all; what the demo promises to have is always there. */
function product(
  store: { id: string; code: string },
  item: DemoItem,
  condition: string,
  random: () => number,
) {
  const [offered, few] = [random() < 0.6, random()];
  const promised = Object.values(demo.scan).some(
    (scan) => scan.itemId === item.id && scan.condition === condition,
  );
  if (!offered && !promised) return [];
  const stock = item.category.taxClass === "reduced" ? 5 + Math.floor(few * 25) : Math.floor(few ** 2 * 7);
  return [
    {
      id: demoId(`product ${store.code} ${item.code} ${condition}`),
      storeId: store.id,
      item,
      condition,
      priceYen: demoPrice(item.listPriceYen, condition),
      stock: promised ? 20 : stock,
    },
  ];
}

async function fillPeople(tx: Tx, companyId: string): Promise<void> {
  const company = { company_id: companyId };
  await insert(tx, "stores", Object.values(demo.stores), (store) => ({
    ...company,
    id: store.id,
    code: store.code,
    name: store.name,
    address: store.address,
    phone: "03-0000-0000",
    ships_online: store.ships,
    allocation_rank: store.rank,
  }));
  const staff = await Promise.all(
    demo.staff.map(async (person) => ({ ...person, hash: await hashPin(person.pin, salt(person.code)) })),
  );
  await insert(tx, "staff", staff, ({ id, code, name, role, hash }) => ({
    ...company,
    id,
    code,
    name,
    role,
    pin_hash: hash,
  }));
  const bound = demo.staff.flatMap(({ id, stores }) => stores.map((store) => ({ id, store })));
  await insert(tx, "staff_stores", bound, ({ id, store }) => ({
    ...company,
    staff_id: id,
    store_id: demo.stores[store as keyof typeof demo.stores].id,
  }));
  await insert(tx, "registers", demo.registers, ({ id, store, code, enrolmentCode }) => ({
    ...company,
    id,
    store_id: demo.stores[store].id,
    code,
    enrolment_hash: hashEnrolmentCode(enrolmentCode),
  }));
}

async function openStock(
  tx: Tx,
  companyId: string,
  store: { id: string; code: string },
  products: Product[],
): Promise<void> {
  const receiptId = demoId(`opening ${store.code}`);
  const stocked = products.filter(({ storeId, stock }) => storeId === store.id && stock > 0);
  await writeStock(tx, companyId, {
    cause: { type: "opening", id: receiptId },
    moves: post({
      kind: "opening",
      receiptId,
      occurredAt: epoch,
      lines: stocked.map(({ id, stock, priceYen }, index) => ({
        lineNo: index + 1,
        productId: id,
        qty: stock,
        unitCostYen: Math.floor(priceYen * 0.4),
      })),
    }).map((move) => ({ ...move, id: demoId(`move ${receiptId} ${move.lineNo}`) })),
  });
}

/** Yesterday at each till: a session opened, a dozen cash sales, counted and closed. */
async function fillSales(
  tx: Tx,
  companyId: string,
  products: Product[],
  now: Date,
  random: () => number,
): Promise<void> {
  const company = { company_id: companyId };
  const yesterday = new Date(now.getTime() - 86_400_000);
  const day = businessDate(yesterday, "05:00");
  const at = (minutes: number) => new Date(Date.parse(`${day}T10:00:00+09:00`) + minutes * 60_000);
  for (const register of demo.registers.filter(({ code }) => code === "1")) {
    const store = demo.stores[register.store];
    const seller = demo.staff.find(({ role, stores }) => role === "clerk" && stores.includes(register.store));
    const staffId = (seller ?? demo.staff[1]).id;
    const sessionId = demoId(`session ${register.id}`, at(0));
    const shelf = products.filter(
      ({ storeId, stock, item }) => storeId === store.id && stock > 2 && !promised(item),
    );
    const sales = Array.from({ length: 12 }, (_, index) => {
      const saleId = demoId(`sale ${register.id} ${index}`, at(index * 45));
      const lines = price(
        Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
          const { id, item, condition, priceYen } = shelf[Math.floor(random() * shelf.length)] as Product;
          const reduced = item.category.taxClass === "reduced";
          const qty = 1 + Math.floor(random() * (reduced ? 3 : 1));
          return { productId: id, item, condition, unitPriceYen: priceYen, qty, ratePct: reduced ? 8 : 10 };
        }),
      ).map((line, position) => ({ ...line, saleId, lineNo: position + 1 }));
      const totalYen = lines.reduce((sum, { amountYen }) => sum + amountYen, 0);
      return { saleId, seq: index + 1, at: at(index * 45), lines, totalYen, taxes: taxes(lines, "floor") };
    });
    const expectedYen = 50_000 + sales.reduce((sum, { totalYen }) => sum + totalYen, 0);
    await tx
      .insertInto("register_sessions")
      .values({
        ...company,
        id: sessionId,
        store_id: store.id,
        register_id: register.id,
        business_date: day,
        float_yen: 50_000,
        opened_at: at(-15),
        opened_by: staffId,
        closed_at: at(12 * 45),
        closed_by: staffId,
        expected_yen: expectedYen,
        counted: JSON.stringify({ 1: expectedYen }),
        counted_yen: expectedYen,
      })
      .execute();
    await insert(tx, "sales", sales, (sale) => ({
      ...company,
      id: sale.saleId,
      store_id: store.id,
      session_id: sessionId,
      register_id: register.id,
      register_seq: sale.seq,
      receipt_no: `${store.code}-${register.code}-${String(sale.seq).padStart(6, "0")}`,
      business_date: day,
      staff_id: staffId,
      total_yen: sale.totalYen,
      completed_at: sale.at,
    }));
    await tx.updateTable("registers").set({ last_seq: sales.length }).where("id", "=", register.id).execute();
    const lines = sales.flatMap((sale) => sale.lines);
    await insert(tx, "sale_lines", lines, (line) => ({
      ...company,
      sale_id: line.saleId,
      line_no: line.lineNo,
      product_id: line.productId,
      code: line.item.code,
      name: line.item.name,
      condition: line.condition,
      tax_class: line.item.category.taxClass,
      rate_pct: line.ratePct,
      unit_price_yen: line.unitPriceYen,
      qty: line.qty,
    }));
    const groups = sales.flatMap((sale) => sale.taxes.map((tax) => ({ ...tax, saleId: sale.saleId })));
    await insert(tx, "sale_taxes", groups, (tax) => ({
      ...company,
      sale_id: tax.saleId,
      rate_pct: tax.ratePct,
      gross_yen: tax.grossYen,
      tax_yen: tax.taxYen,
    }));
    await insert(tx, "sale_payments", sales, ({ saleId, totalYen }) => {
      const settled = settle(totalYen, [{ method: "cash", tenderedYen: Math.ceil(totalYen / 1000) * 1000 }]);
      if ("refused" in settled || settled.payments[0]?.method !== "cash")
        throw new Error("A demo sale is not paid.");
      const { amountYen, tenderedYen } = settled.payments[0];
      return {
        ...company,
        sale_id: saleId,
        line_no: 1,
        method: "cash" as const,
        amount_yen: amountYen,
        tendered_yen: tenderedYen,
      };
    });
    await insert(tx, "cash_moves", sales, ({ saleId, totalYen, at }) => ({
      ...company,
      id: demoId(`cash ${saleId}`, at),
      session_id: sessionId,
      kind: "sale" as const,
      amount_yen: totalYen,
      source_type: "sale",
      source_id: saleId,
      occurred_at: at,
    }));
    await writeStock(tx, companyId, {
      cause: { type: "session", id: sessionId },
      moves: sales.flatMap(({ saleId, at, lines }) =>
        post({ kind: "sale", saleId, occurredAt: at, lines }).map((move) => ({
          ...move,
          id: demoId(`move ${saleId} ${move.lineNo}`, at),
        })),
      ),
    });
  }
}

const promised = (item: DemoItem) => Object.values(demo.scan).some(({ itemId }) => itemId === item.id);

/** An order of two hours ago that waits for its bank transfer: it is paid in the demo, or expires by itself. */
async function fillOrder(tx: Tx, companyId: string, products: Product[], now: Date): Promise<void> {
  const company = { company_id: companyId };
  const placedAt = new Date(now.getTime() - 2 * 3_600_000);
  const deadline = bankTransferDeadline(placedAt);
  const orderId = demoId("order 1", placedAt);
  const bought = products.find(
    ({ storeId, stock, item }) => storeId === demo.stores.soko.id && stock >= 3 && !promised(item),
  ) as Product;
  const ratePct = bought.item.category.taxClass === "reduced" ? 8 : 10;
  const [line] = price([{ ratePct, unitPriceYen: bought.priceYen, qty: 1 }]);
  const amountYen = (line as NonNullable<typeof line>).amountYen;
  const groups = taxes(
    [
      { ratePct, amountYen },
      { ratePct: 10, amountYen: 500 },
    ],
    "floor",
  );
  const totalYen = amountYen + 500;
  await tx
    .insertInto("orders")
    .values({
      ...company,
      id: orderId,
      no: "NRN-DEM0-0001",
      channel: "ec",
      state: "awaiting_payment",
      email: "hanako@example.com",
      method: "bank_transfer",
      shipping_yen: 500,
      total_yen: totalYen,
      deadline,
      ship_to: JSON.stringify({
        name: "見本 花子",
        postalCode: "100-0001",
        address: "東京都千代田区千代田1-1",
      }),
      token_hash: hashToken("demo-order"),
      placed_at: placedAt,
    })
    .execute();
  await tx
    .insertInto("order_lines")
    .values({
      ...company,
      order_id: orderId,
      line_no: 1,
      item_id: bought.item.id,
      condition: bought.condition,
      name: bought.item.name,
      tax_class: bought.item.category.taxClass,
      rate_pct: ratePct,
      unit_price_yen: bought.priceYen,
      qty: 1,
    })
    .execute();
  await insert(tx, "order_taxes", groups, (tax) => ({
    ...company,
    order_id: orderId,
    rate_pct: tax.ratePct,
    gross_yen: tax.grossYen,
    tax_yen: tax.taxYen,
  }));
  await tx
    .insertInto("payments")
    .values({
      ...company,
      id: demoId("payment 1", placedAt),
      order_id: orderId,
      method: "bank_transfer",
      amount_yen: totalYen,
      state: "pending",
      provider: "bank",
      idempotency_key: `order:${orderId}`,
    })
    .execute();
  const reserved = await writeStock(tx, companyId, {
    cause: { type: "order", id: orderId },
    reserve: {
      owner: { type: "order", id: orderId },
      lines: [{ productId: bought.id, lineNo: 1, qty: 1 }],
      expiresAt: releaseAt(deadline),
      ifAvailable: true,
    },
  });
  if (!reserved.ok) throw new Error("The demo order could not be reserved.");
  await plan(tx, companyId, { kind: "order.deadline", subjectId: orderId, dueAt: releaseAt(deadline) });
}

/** What the mall shows: books and games that a shipping store has. */
async function fillMall(
  tx: Tx,
  companyId: string,
  pairs: { item: DemoItem; condition: string }[],
  products: Product[],
): Promise<void> {
  const company = { company_id: companyId };
  const { id, code, mailKey } = demo.mallAccount;
  await tx
    .insertInto("mall_accounts")
    .values({ ...company, id, code, name: "モールA", mail_key: mailKey, secret_name: "MALL_API_KEY" })
    .execute();
  const shipping = new Set<string>([demo.stores.honten.id, demo.stores.soko.id]);
  const listed = pairs.flatMap(({ item, condition }) => {
    const qty = products
      .filter((one) => one.item === item && one.condition === condition && shipping.has(one.storeId))
      .reduce((sum, { stock }) => sum + stock, 0);
    return ["books", "games"].includes(item.category.code) && qty > 0 ? [{ item, condition, qty }] : [];
  });
  await insert(tx, "listings", listed, ({ item, condition, qty }) => ({
    ...company,
    id: demoId(`listing ${item.code} ${condition}`),
    mall_account_id: id,
    item_id: item.id,
    condition,
    mall_sku: `${item.code}-${condition}`,
    wanted_qty: qty,
    wanted_price_yen: demoPrice(item.listPriceYen, condition),
  }));
}

/** Another company with the same kinds of rows, the same item code and the same staff code as the first. */
async function fillOther(tx: Tx): Promise<void> {
  const companyId = demo.otherCompany.id;
  const company = { company_id: companyId };
  const id = (key: string) => demoId(`other ${key}`);
  const { code, name } = demo.otherCompany;
  await tx.insertInto("companies").values({ id: companyId, code, name }).execute();
  await tx
    .insertInto("stores")
    .values({ ...company, id: id("store"), code: "honten", name: "別の店 本店", ships_online: true })
    .execute();
  await tx
    .insertInto("staff")
    .values({
      ...company,
      id: id("staff"),
      code: "1001",
      name: "別野 人",
      role: "owner",
      pin_hash: await hashPin("200100", salt("other")),
    })
    .execute();
  await tx
    .insertInto("registers")
    .values({
      ...company,
      id: id("register"),
      store_id: id("store"),
      code: "1",
      enrolment_hash: hashEnrolmentCode("BETSU-HON1"),
    })
    .execute();
  await tx
    .insertInto("categories")
    .values({ ...company, id: id("category"), code: "books", name: "本", tax_class: "standard" })
    .execute();
  await tx
    .insertInto("conditions")
    .values({ ...company, code: "A", name: "美品", rank: 0 })
    .execute();
  const item = { code: demo.scan.book.code, name: "別の店だけの本", kana: "べつのみせだけのほん" };
  await tx
    .insertInto("items")
    .values({
      ...company,
      id: id("item"),
      ...item,
      category_id: id("category"),
      tax_class: "standard",
      list_price_yen: 1000,
      search_text: searchText(item),
    })
    .execute();
  await tx
    .insertInto("item_conditions")
    .values({ ...company, item_id: id("item"), condition: "A" })
    .execute();
  await tx
    .insertInto("products")
    .values({
      ...company,
      id: id("product"),
      store_id: id("store"),
      item_id: id("item"),
      condition: "A",
      price_yen: 700,
    })
    .execute();
  const receiptId = id("opening");
  await writeStock(tx, companyId, {
    cause: { type: "opening", id: receiptId },
    moves: post({
      kind: "opening",
      receiptId,
      occurredAt: epoch,
      lines: [{ lineNo: 1, productId: id("product"), qty: 3, unitCostYen: 300 }],
    }).map((move) => ({ ...move, id: id("move") })),
  });
}

/** One statement for 500 rows: a thousand products one by one would take most of the seed's time. */
async function insert<Table extends keyof Schema, Row>(
  tx: Tx,
  table: Table,
  rows: readonly Row[],
  map: (row: Row, index: number) => Insertable<Schema[Table]>,
): Promise<void> {
  const values = rows.map(map);
  for (let from = 0; from < values.length; from += 500) {
    await tx
      .insertInto(table)
      .values(values.slice(from, from + 500) as never)
      .execute();
  }
}

const salt = (key: string) => createHash("sha256").update(`demo salt ${key}`).digest().subarray(0, 16);

/** mulberry32: small, seeded, the same everywhere. */
function generator(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What a newcomer needs to try the demo, in the order in which it is needed. */
export const notes: { label: string; value: string }[] = [
  { label: "レジの登録コード(本店 1番)", value: demo.registers[0].enrolmentCode },
  { label: "担当者コード / 暗証番号(山田 花・本店)", value: `${demo.staff[2].code} / ${demo.staff[2].pin}` },
  { label: "担当者コード / 暗証番号(店長)", value: `${demo.staff[1].code} / ${demo.staff[1].pin}` },
  { label: "スキャンする商品(10%・本店に在庫あり)", value: `${demo.scan.book.code} ${demo.scan.book.name}` },
  { label: "スキャンする商品(軽減8%)", value: `${demo.scan.snack.code} ${demo.scan.snack.name}` },
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
