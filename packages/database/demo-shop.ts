import { createHash } from "node:crypto";
import { post, searchText } from "@noren/commerce";
import { demo, demoId, epoch } from "./demo.ts";
import { conditions, demoCatalogue, demoPrice, type DemoItem, type Product } from "./demo-catalogue.ts";
import { fillMall, fillOrder, fillSales } from "./demo-trade.ts";
import { insertAll } from "./insert-all.ts";
import { hashEnrolmentCode } from "./lookups.ts";
import { hashPin } from "./pin.ts";
import { writeStock } from "./stock.ts";
import type { Tx } from "./tenant.ts";

/** のれん堂: people, catalogue, stock, and the trade of yesterday and today. */
export async function fillDemo(tx: Tx, now: Date): Promise<void> {
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
  await insertAll(tx, "categories", categories, (category, position) => ({
    ...company,
    id: category.id,
    code: category.code,
    name: category.name,
    tax_class: category.taxClass,
    identity_always: category.identityAlways,
    position,
  }));
  await insertAll(tx, "conditions", conditions, ({ code, name }, rank) => ({ ...company, code, name, rank }));
  await insertAll(tx, "items", items, (item) => ({
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
  await insertAll(tx, "item_conditions", pairs, ({ item, condition }) => ({
    ...company,
    item_id: item.id,
    condition,
  }));

  const products = Object.values(demo.stores).flatMap((store) =>
    pairs.flatMap(({ item, condition }) => product(store, item, condition, random)),
  );
  await insertAll(tx, "products", products, ({ id, storeId, item, condition, priceYen }) => ({
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
  const certain = Object.values(demo.scan).some(
    (scan) => scan.itemId === item.id && scan.condition === condition,
  );
  if (!offered && !certain) return [];
  const stock = item.category.taxClass === "reduced" ? 5 + Math.floor(few * 25) : Math.floor(few ** 2 * 7);
  return [
    {
      id: demoId(`product ${store.code} ${item.code} ${condition}`),
      storeId: store.id,
      item,
      condition,
      priceYen: demoPrice(item.listPriceYen, condition),
      stock: certain ? 20 : stock,
    },
  ];
}

async function fillPeople(tx: Tx, companyId: string): Promise<void> {
  const company = { company_id: companyId };
  await insertAll(tx, "stores", Object.values(demo.stores), (store) => ({
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
  await insertAll(tx, "staff", staff, ({ id, code, name, role, hash }) => ({
    ...company,
    id,
    code,
    name,
    role,
    pin_hash: hash,
  }));
  const bound = demo.staff.flatMap(({ id, stores }) => stores.map((store) => ({ id, store })));
  await insertAll(tx, "staff_stores", bound, ({ id, store }) => ({
    ...company,
    staff_id: id,
    store_id: demo.stores[store as keyof typeof demo.stores].id,
  }));
  await insertAll(tx, "registers", demo.registers, ({ id, store, code, enrolmentCode }) => ({
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

/** Another company with the same kinds of rows, the same item code and the same staff code as the first. */
export async function fillOther(tx: Tx): Promise<void> {
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

/** Salts of demo PINs, so that their hashes are the same everywhere. */
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
