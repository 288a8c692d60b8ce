import { expect, test } from "vitest";
import { type Basket, empty } from "./basket.ts";
import { settle } from "./settle.ts";

const basket: Basket = {
  ...empty("sale-1"),
  lines: [
    {
      productId: "p1",
      code: "1",
      name: "本",
      condition: { code: "new", name: "新品" },
      priceYen: 100,
      ratePct: 10,
      available: 1,
      qty: 2,
    },
  ],
  pending: { tenderedYen: 500, email: "" },
};
const settled = {
  saleId: "sale-1",
  receiptNo: "1-1-1",
  totalYen: 200,
  tenderedYen: 500,
  changeYen: 300,
  email: "",
};
const refusal = (code: string, message: string) => ({ error: { code, message } });

/** A server that gives these answers one after the other; an error is a lost connection. */
async function run(...answers: ([status: number, body: unknown] | Error)[]) {
  const sent: unknown[] = [];
  const waits: number[] = [];
  const outcome = await settle(basket, {
    send: async (body) => {
      sent.push(body);
      const answer = answers[sent.length - 1]!;
      if (answer instanceof Error) throw answer;
      return new Response(typeof answer[1] === "string" ? answer[1] : JSON.stringify(answer[1]), {
        status: answer[0],
      });
    },
    wait: async (ms) => void waits.push(ms),
    onRepeat: () => {},
  });
  return { outcome, sent, waits };
}

test("products and quantities are sent, never prices", async () => {
  const { outcome, sent } = await run([201, settled]);
  expect(outcome).toEqual({ kind: "settled", sale: settled });
  expect(sent).toEqual([
    { saleId: "sale-1", lines: [{ productId: "p1", qty: 2 }], tenderedYen: 500, email: "" },
  ]);
});

test("no answer, half an answer, 5xx and in-flight are asked again, with the same id and the same body", async () => {
  const { outcome, sent, waits } = await run(
    new Error("connection lost"),
    [502, "<html>bad gateway</html>"],
    [200, "{"],
    [503, refusal("unreachable", "…")],
    [409, refusal("in_progress", "…")],
    [201, settled],
  );
  expect(outcome.kind).toBe("settled");
  expect(new Set(sent.map((body) => JSON.stringify(body))).size).toBe(1);
  expect(waits).toEqual([250, 500, 1_000, 2_000, 2_000]);
});

test("a clear no is a no, in the server's words", async () => {
  const { outcome, sent } = await run([409, refusal("register_closed", "レジが閉まっています。")]);
  expect(outcome).toEqual({ kind: "refused", message: "レジが閉まっています。" });
  expect(sent).toHaveLength(1);
});

test("a session that ended leaves the sale pending", async () => {
  expect((await run([401, refusal("signed_out", "サインインし直してください。")])).outcome.kind).toBe(
    "signed-out",
  );
});
