import type { Basket } from "./basket.ts";

/** What the till says after a sale. */
export type Settled = {
  saleId: string;
  receiptNo: string;
  totalYen: number;
  tenderedYen: number;
  changeYen: number;
  email: string;
};

export type Outcome =
  | { kind: "settled"; sale: Settled }
  /** The server said no; nothing was recorded and the basket may be changed. */
  | { kind: "refused"; message: string }
  /** Somebody must sign in first; the sale stays pending. */
  | { kind: "signed-out"; message: string };

export type SettleOptions = {
  send: (body: unknown) => Promise<Response>;
  wait: (ms: number) => Promise<void>;
  /** Called before each repeat: the server did not answer, and the answer may have been lost on the way back. */
  onRepeat: (attempt: number) => void;
};

/**
 * Sends a pending sale until it is known what became of it. No answer, a 5xx or "still working on it" is never taken
 * for a no: the same sale id is sent again, and the server answers with the sale it recorded the first time.
 */
export async function settle(basket: Basket, options: SettleOptions): Promise<Outcome> {
  const { pending } = basket;
  if (!pending) throw new Error("This basket has not been paid: set pending first.");
  const body = {
    saleId: basket.saleId,
    lines: basket.lines.map(({ productId, qty }) => ({ productId, qty })),
    tenderedYen: pending.tenderedYen,
    email: pending.email,
  };
  for (let attempt = 1; ; attempt++) {
    const response = await options.send(body).catch(() => undefined);
    const answer = response && (await response.json().catch(() => undefined));
    const outcome = response && answer && read(response.status, answer as Answer);
    if (outcome) return outcome;
    options.onRepeat(attempt);
    await options.wait(Math.min(250 * 2 ** (attempt - 1), 2_000));
  }
}

type Answer = Settled & { error?: { code: string; message: string } };

function read(status: number, answer: Answer): Outcome | undefined {
  if (status === 200 || status === 201) return { kind: "settled", sale: answer };
  const message = answer.error?.message ?? "会計を受け付けられませんでした。";
  if (status === 401) return { kind: "signed-out", message };
  if (status >= 500 || status === 429 || answer.error?.code === "in_progress") return undefined;
  return { kind: "refused", message };
}
