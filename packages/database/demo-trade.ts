import { bankTransferDeadline, businessDate, post, price, releaseAt, settle, taxes } from "@noren/commerce";
import { demo, demoId } from "./demo.ts";
import { demoPrice, promised, type DemoItem, type Product } from "./demo-catalogue.ts";
import { insertAll } from "./insert-all.ts";
import { hashToken } from "./lookups.ts";
import { plan } from "./schedules.ts";
import { writeStock } from "./stock.ts";
import type { Tx } from "./tenant.ts";

/** Yesterday at each till: a session opened, a dozen cash sales, counted and closed. */
export async function fillSales(
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
    await insertAll(tx, "sales", sales, (sale) => ({
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
    await insertAll(tx, "sale_lines", lines, (line) => ({
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
    await insertAll(tx, "sale_taxes", groups, (tax) => ({
      ...company,
      sale_id: tax.saleId,
      rate_pct: tax.ratePct,
      gross_yen: tax.grossYen,
      tax_yen: tax.taxYen,
    }));
    await insertAll(tx, "sale_payments", sales, ({ saleId, totalYen }) => {
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
    await insertAll(tx, "cash_moves", sales, ({ saleId, totalYen, at }) => ({
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

/** An order of two hours ago that waits for its bank transfer: it is paid in the demo, or expires by itself. */
export async function fillOrder(tx: Tx, companyId: string, products: Product[], now: Date): Promise<void> {
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
      no: demo.order.no,
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
      token_hash: hashToken(demo.order.token),
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
  await insertAll(tx, "order_taxes", groups, (tax) => ({
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
export async function fillMall(
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
  await insertAll(tx, "listings", listed, ({ item, condition, qty }) => ({
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
