import PostalMime from "postal-mime";
import { beforeEach, expect, test } from "vitest";
import { mallApp } from "./app.ts";
import { Bucket } from "./bucket.ts";
import type { Mail } from "./mail.ts";

let sent: Mail[];
let app: ReturnType<typeof mallApp>;
beforeEach(() => {
  sent = [];
  app = mallApp({
    apiKey: "key",
    mailTo: "orders@mail.noren.example",
    send: async (mail) => void sent.push(mail),
    rate: 1,
    burst: 3,
  });
});

const post = (path: string, fields: Record<string, string> = {}) =>
  app.request(path, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { origin: "http://localhost", "content-type": "application/x-www-form-urlencoded" },
  });
const draft = {
  itemCode: "2000000000015",
  condition: "A",
  qty: "2",
  unitYen: "1980",
  name: "森 一郎",
  email: "ichiro@example.com",
  paid: "on",
};
const place = async () => {
  const answer = await post("/orders", draft);
  return new URL(answer.headers.get("location")!, "http://localhost").searchParams.get("done")!;
};
const fetchOrder = (no: string, key = "key") =>
  app.request(`/api/orders/${no}`, { headers: { "x-api-key": key } });

test("an order on the page is told by the API and announced by mail", async () => {
  const no = await place();
  expect(await (await fetchOrder(no)).json()).toMatchObject({
    no,
    status: "placed",
    buyer: { name: "森 一郎", email: "ichiro@example.com" },
    lines: [{ itemCode: "2000000000015", condition: "A", qty: 2, unitYen: 1980 }],
    paid: true,
    totalYen: 3960,
  });
  const mail = await PostalMime.parse(sent[0]!.raw);
  expect(mail.subject).toBe(`【モールA】ご注文がありました(注文番号: ${no})`);
  expect(mail.from).toEqual({ name: "モールA", address: "order@mall-a.example" });
  expect(mail.text).toContain(`注文番号: ${no}`);
  expect(sent[0]!.to).toBe("orders@mail.noren.example");
});

test("a cancelled order says so, and its mail too", async () => {
  const no = await place();
  await post(`/orders/${no}/cancel`);
  expect(await (await fetchOrder(no)).json()).toMatchObject({ status: "cancelled" });
  expect((await PostalMime.parse(sent[1]!.raw)).subject).toBe(
    `【モールA】ご注文がキャンセルされました(注文番号: ${no})`,
  );
});

test("a mail sent again is the same mail to the byte", async () => {
  const no = await place();
  await post(`/orders/${no}/mail`);
  expect(sent).toHaveLength(2);
  expect(sent[1]!.raw.equals(sent[0]!.raw)).toBe(true);
});

test("the API wants its key", async () => {
  expect((await fetchOrder(await place(), "other")).status).toBe(401);
});

test("more calls than the bucket holds are told when to come again", async () => {
  for (let call = 0; call < 3; call++) expect((await fetchOrder("MA-1")).status).toBe(404);
  const refused = await fetchOrder("MA-1");
  expect(refused.status).toBe(429);
  expect(refused.headers.get("retry-after")).toBe("1");
});

test("a bucket fills again with time, up to its burst", () => {
  const bucket = new Bucket(5, 2, 0);
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 1]);
  expect([bucket.take(200), bucket.take(200)]).toEqual([0, 1]);
  expect([bucket.take(60_000), bucket.take(60_000), bucket.take(60_000)]).toEqual([0, 0, 1]);
});

test("the API fails as often as it was told to", async () => {
  const no = await place();
  await post("/failures", { count: "1" });
  expect((await fetchOrder(no)).status).toBe(500);
  expect((await fetchOrder(no)).status).toBe(200);
});

test("a wrong field is marked, nothing is ordered and no mail leaves", async () => {
  const answer = await post("/orders", { ...draft, qty: "0" });
  expect(answer.status).toBe(422);
  expect(await answer.text()).toMatch(/class="wrong"\s+name="qty"/);
  expect(sent).toEqual([]);
});
