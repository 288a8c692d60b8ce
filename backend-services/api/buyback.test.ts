import type { Input, Routes } from "@noren/api-contract";
import { inCompany } from "@noren/database";
import { openShop } from "@noren/database/fixture";
import { buybackPaidOut, newId } from "@noren/events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, key, openApi } from "./testing.ts";

let api: Api;
let [toyId, bookId]: string[] = [];
const noon = new Date("2026-11-24T03:00:00Z");

beforeAll(async () => {
  api = await openApi({ stock: [0, 0] });
  api.clock.now = noon;
  [toyId, bookId] = api.shop.products.map(({ itemId }) => itemId);
  const categoryId = newId();
  await inCompany(api.testing.owner, api.shop.companyId, async (tx) => {
    await tx.updateTable("categories").set({ name: "本", identity_always: true }).execute();
    const toys = { code: "toys", name: "おもちゃ", tax_class: "standard" as const };
    await tx
      .insertInto("categories")
      .values({ company_id: api.shop.companyId, id: categoryId, ...toys })
      .execute();
    await tx.updateTable("items").set({ category_id: categoryId }).where("id", "=", String(toyId)).execute();
  });
  await api.till.openRegister({ body: { floatYen: 30_000 }, ...key() });
});
afterAll(() => api.close());

const toy = (unitPriceYen = 300, qty = 1) => ({ itemId: String(toyId), condition: "A", qty, unitPriceYen });
const book = (unitPriceYen = 100) => ({ itemId: String(bookId), condition: "A", qty: 1, unitPriceYen });
type Line = ReturnType<typeof toy>;

const seller = {
  name: "山田花子",
  address: "東京都千代田区千代田1-1",
  occupation: "会社員",
  birthDate: "1990-04-01",
  documentKind: "driving_licence" as const,
  documentNo: "012345678901",
};
type Seller = Partial<Input<Routes["identifySeller"]>["body"]>;

async function appraised(...lines: Line[]): Promise<string> {
  const buybackId = newId();
  await api.till.appraiseBuyback({ body: { buybackId, lines } });
  return buybackId;
}
async function agreed(...lines: Line[]): Promise<string> {
  const buybackId = await appraised(...lines);
  await api.till.agreeBuyback({ body: { buybackId }, ...key() });
  return buybackId;
}
const identify = (buybackId: string, change: Seller = {}) =>
  api.till.identifySeller({ body: { ...seller, identityId: newId(), buybackId, ...change } });
const pay = (buybackId: string, payoutId = newId()) =>
  api.till.payOutBuyback({ body: { payoutId, buybackId } });

const cashOf = (buybackId: string) =>
  api.rows<{ kind: string; yen: number }>(
    "select kind, amount_yen::int as yen from cash_moves where source_id = $1",
    [buybackId],
  );
const paidOut = async (buybackId: string) =>
  (await api.events("buyback.paid_out")).filter(({ aggregate }) => aggregate.id === buybackId);

test("an offer shows its total, and the duty to identify as soon as it arises, with why", async () => {
  const body = { buybackId: newId(), lines: [{ ...toy(300, 3), features: "箱に傷" }] };
  const offer = await api.till.appraiseBuyback({ body });
  expect(offer).toEqual({
    buybackId: body.buybackId,
    state: "appraised",
    appraisedAt: noon.toISOString(),
    lines: [
      {
        lineNo: 1,
        itemId: toyId,
        name: "本",
        condition: "A",
        features: "箱に傷",
        qty: 3,
        unitPriceYen: 300,
        amountYen: 900,
        accepted: null,
      },
    ],
    totalYen: 900,
    identity: { duty: false, why: [], recorded: false },
    paidAt: null,
    declineReason: null,
  });
  expect(await api.till.appraiseBuyback({ body })).toEqual(offer);
  expect(await api.till.readBuyback({ params: { id: body.buybackId } })).toEqual(offer);
  const dear = await api.till.readBuyback({ params: { id: await appraised(toy(5_000, 2), book()) } });
  expect(dear.identity).toEqual({
    duty: true,
    why: ["合計が10,000円以上です。", "「本」は金額にかかわらず本人確認が要ります。"],
    recorded: false,
  });
});

test("what is agreed to is paid out of the drawer, once, and its goods are told", async () => {
  const buybackId = await agreed(toy(300, 3), toy(150));
  const payoutId = newId();
  const paid = await pay(buybackId, payoutId);
  expect(paid).toMatchObject({ state: "paid_out", totalYen: 1_050, paidAt: noon.toISOString() });
  expect(await cashOf(buybackId)).toEqual([{ kind: "buyback", yen: -1_050 }]);
  const [event] = (await paidOut(buybackId)).map((envelope) => buybackPaidOut.parse(envelope));
  expect(event).toMatchObject({
    storeId: api.shop.storeId,
    data: {
      buybackId,
      lines: [
        { itemId: toyId, condition: "A", qty: 3, unitYen: 300 },
        { itemId: toyId, condition: "A", qty: 1, unitYen: 150 },
      ],
      totalYen: 1_050,
      identityDuty: false,
    },
  });

  expect(await pay(buybackId, payoutId)).toEqual(paid);
  await api.rows("delete from api_requests");
  expect(await pay(buybackId, payoutId)).toEqual(paid);
  expect(await cashOf(buybackId)).toHaveLength(1);
  expect(await paidOut(buybackId)).toHaveLength(1);
});

test("ten clicks at once pay once, and ten people who each pay are nine times refused", async () => {
  const [clicked, fought] = [await agreed(toy()), await agreed(toy())];
  const payoutId = newId();
  const answers = await Promise.all(Array.from({ length: 10 }, () => pay(clicked, payoutId)));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => pay(fought)));
  const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  expect(refused).toHaveLength(9);
  for (const reason of refused)
    expect(reason).toMatchObject({
      status: 409,
      code: "already_paid",
      message: "この買取は支払済みです。現金をもう一度渡さないでください。",
    });
  for (const id of [clicked, fought]) {
    expect(await cashOf(id)).toEqual([{ kind: "buyback", yen: -300 }]);
    expect(await paidOut(id)).toHaveLength(1);
  }
});

test("of two tills that pay the same buy-back at once one pays, and its drawer alone is lighter", async () => {
  const { companyId, storeId, staffId } = api.shop;
  const registerId = newId();
  await api.rows("insert into registers (company_id, id, store_id, code) values ($1, $2, $3, '9')", [
    companyId,
    registerId,
    storeId,
  ]);
  const other = api.as({ app: "pos", companyId, storeId, registerId, staffId });
  await other.openRegister({ body: { floatYen: 30_000 }, ...key() });
  for (let round = 0; round < 5; round += 1) {
    const buybackId = await agreed(toy());
    const results = await Promise.allSettled(
      [api.till, other, api.till, other].map((till) =>
        till.payOutBuyback({ body: { payoutId: newId(), buybackId } }),
      ),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results)
      expect(result.status === "fulfilled" ? { code: "already_paid" } : result.reason).toMatchObject({
        code: "already_paid",
      });
    expect(await cashOf(buybackId)).toEqual([{ kind: "buyback", yen: -300 }]);
  }
});

test("without the identity that is needed nothing is paid, and with it everything is", async () => {
  const buybackId = await agreed(book());
  await expect(pay(buybackId)).rejects.toMatchObject({
    status: 422,
    code: "identity_missing",
    message: "「本」は金額にかかわらず本人確認が要ります。本人確認を登録してから支払ってください。",
  });
  expect(await cashOf(buybackId)).toEqual([]);
  expect((await identify(buybackId)).identity).toMatchObject({ duty: true, recorded: true });
  expect(await pay(buybackId)).toMatchObject({ state: "paid_out" });
});

test("who sells is in its own table, once for each record, and in no answer, event or log of requests", async () => {
  const buybackId = await agreed(book());
  const identityId = newId();
  const answers = [
    await identify(buybackId, { identityId, documentKind: "my_number_card", documentNo: undefined }),
    await identify(buybackId, { identityId, documentKind: "my_number_card", documentNo: undefined }),
    await identify(buybackId, { name: "山田華子" }),
    await identify(buybackId, { identityId, documentKind: "my_number_card", documentNo: undefined }),
    await pay(buybackId),
  ];
  expect(
    await api.rows(
      `select name, occupation, keep_until::text as until from buyback_identities where buyback_id = $1 order by id`,
      [buybackId],
    ),
  ).toEqual([
    { name: "山田花子", occupation: "会社員", until: "2029-12-24" },
    { name: "山田華子", occupation: "会社員", until: "2029-12-24" },
  ]);
  const kept = await api.rows("select response from api_requests");
  for (const told of [answers, await api.events(), kept, await api.rows("select detail from audit_log")])
    expect(JSON.stringify(told)).not.toMatch(/山田[花華]子|千代田/);
  expect(await api.rows("select action from audit_log where subject_id = $1", [buybackId])).toEqual([
    { action: "buyback.identified" },
    { action: "buyback.identified" },
  ]);
});

test.each<[string, Seller, string]>([
  ["a number that may not be kept", { documentKind: "my_number_card" }, "number_forbidden"],
  ["a health insurance's number", { documentKind: "health_insurance" }, "number_forbidden"],
  ["a birthday to come", { birthDate: "2026-11-25" }, "birth_date"],
])("%s is refused and nothing is written down", async (_, change, code) => {
  const buybackId = await agreed(book());
  await expect(identify(buybackId, change)).rejects.toMatchObject({ status: 422, code });
  expect(await api.rows("select 1 from buyback_identities where buyback_id = $1", [buybackId])).toEqual([]);
});

test("a minor is paid with the guardian's recorded consent only", async () => {
  const buybackId = await agreed(toy());
  await identify(buybackId, { birthDate: "2010-01-01" });
  await expect(pay(buybackId)).rejects.toMatchObject({ status: 422, code: "guardian_consent_missing" });
  await identify(buybackId, { birthDate: "2010-01-01", guardianConsent: "母 山田良子 電話で同意" });
  expect(await pay(buybackId)).toMatchObject({ state: "paid_out" });
});

test("the seller may keep some of the goods: only what is accepted counts, for the money and for the duty", async () => {
  const buybackId = await appraised(toy(6_000), toy(6_000), book());
  await expect(
    api.till.agreeBuyback({ body: { buybackId, acceptedLines: [1, 4] }, ...key() }),
  ).rejects.toMatchObject({ status: 422, code: "line_unknown" });
  const kept = await api.till.agreeBuyback({ body: { buybackId, acceptedLines: [1] }, ...key() });
  expect(kept).toMatchObject({ state: "agreed", totalYen: 6_000, identity: { duty: false, why: [] } });
  expect(kept.lines.map(({ accepted }) => accepted)).toEqual([true, false, false]);
  await pay(buybackId);
  expect(await cashOf(buybackId)).toEqual([{ kind: "buyback", yen: -6_000 }]);
  expect((await paidOut(buybackId)).map(({ data }) => data)).toMatchObject([{ lines: [{ qty: 1 }] }]);
});

test("what somebody leaves for nothing is bought without money", async () => {
  const buybackId = await agreed(toy(0));
  expect(await pay(buybackId)).toMatchObject({ state: "paid_out", totalYen: 0 });
  expect(await cashOf(buybackId)).toEqual([]);
  expect(await paidOut(buybackId)).toHaveLength(1);
});

test("nothing is paid before the seller agrees, nor after an end, and what was declined stays declined", async () => {
  const waiting = await appraised(toy());
  await expect(pay(waiting)).rejects.toMatchObject({ status: 409, code: "not_agreed" });
  const body = { buybackId: waiting, reason: "盗品の疑い", policeReport: true };
  expect(await api.till.declineBuyback({ body, ...key() })).toMatchObject({
    state: "declined",
    declineReason: "盗品の疑い",
  });
  expect(await api.rows("select action from audit_log where subject_id = $1", [waiting])).toEqual([
    { action: "buyback.police_report" },
  ]);
  await expect(pay(waiting)).rejects.toMatchObject({ status: 409, code: "declined" });
  await expect(identify(waiting)).rejects.toMatchObject({ status: 409, code: "declined" });
  await expect(api.till.agreeBuyback({ body: { buybackId: waiting }, ...key() })).rejects.toMatchObject({
    code: "declined",
  });
  const paid = await agreed(toy());
  await pay(paid);
  await expect(
    api.till.declineBuyback({ body: { buybackId: paid, reason: "気が変わった" }, ...key() }),
  ).rejects.toMatchObject({ status: 409, code: "already_paid" });
  expect(await cashOf(waiting)).toEqual([]);
});

test("a payout that could not be written leaves nothing behind, and its retry pays", async () => {
  const buybackId = await agreed(toy());
  const payoutId = newId();
  await api.rows("alter table outbox rename to outbox_gone");
  try {
    await expect(pay(buybackId, payoutId)).rejects.toMatchObject({ status: 500 });
  } finally {
    await api.rows("alter table outbox_gone rename to outbox");
  }
  expect(await cashOf(buybackId)).toEqual([]);
  expect(await pay(buybackId, payoutId)).toMatchObject({ state: "paid_out" });
});

test("only what the catalogue knows is appraised, in a condition that it allows", async () => {
  const offer = (line: Line) =>
    api.till.appraiseBuyback({ body: { buybackId: newId(), lines: [toy(), line] } });
  await expect(offer({ ...toy(), itemId: newId() })).rejects.toMatchObject({ status: 404 });
  const stranger = await openShop(api.testing);
  await expect(offer({ ...toy(), itemId: stranger.itemId })).rejects.toMatchObject({ status: 404 });
  await expect(offer({ ...toy(), condition: "C" })).rejects.toMatchObject({
    status: 422,
    code: "condition_unknown",
    message: "「本」に状態「C」はありません。状態を選び直してください。",
  });
});

test("another store's buy-back is not found, and a closed register pays nothing", async () => {
  const buybackId = await agreed(toy());
  const { companyId, registerId, staffId } = api.shop;
  const neighbour = api.as({ app: "pos", companyId, storeId: newId(), registerId, staffId });
  await expect(neighbour.readBuyback({ params: { id: buybackId } })).rejects.toMatchObject({ status: 404 });
  await expect(neighbour.payOutBuyback({ body: { payoutId: newId(), buybackId } })).rejects.toMatchObject({
    status: 404,
  });
  const closed = newId();
  await api.rows("insert into registers (company_id, id, store_id, code) values ($1, $2, $3, '2')", [
    companyId,
    closed,
    api.shop.storeId,
  ]);
  const till = api.as({ app: "pos", companyId, storeId: api.shop.storeId, registerId: closed, staffId });
  await expect(till.payOutBuyback({ body: { payoutId: newId(), buybackId } })).rejects.toMatchObject({
    status: 409,
    code: "register_closed",
  });
  expect(await cashOf(buybackId)).toEqual([]);
});
