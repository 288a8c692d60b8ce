import type { Rate, Refusal, Rounding, Yen } from "./money.ts";
import { taxes, type TaxGroup } from "./tax.ts";

/** What was sold, as it was stored: a refund never asks what things cost today. */
export type RefundableSale = {
  state: "completed" | "voided";
  lines: readonly { lineNo: number; name: string; ratePct: Rate; qty: number; amountYen: Yen }[];
  taxes: readonly TaxGroup[];
  /** Money goes back in this order, to each payment at most what it paid. */
  payments: readonly { lineNo: number; method: string; amountYen: Yen }[];
};

/** What the customer brings back of one line of the sale; `restock`: whether it can be sold again. */
export type RefundAsk = { lineNo: number; qty: number; restock: boolean };

export type Refund = {
  /** In the order of the sale. */
  lines: (RefundAsk & { amountYen: Yen })[];
  taxes: TaxGroup[];
  /** Empty where nothing was paid for what comes back. */
  payments: { lineNo: number; method: string; amountYen: Yen }[];
  totalYen: Yen;
};

/** What an earlier refund of the sale gave back, or all of them together. */
export type Refunded = {
  lines: readonly { lineNo: number; qty: number }[];
  taxes: readonly { ratePct: Rate; taxYen: Yen }[];
  payments: readonly { lineNo: number; amountYen: Yen }[];
};

/**
 * What a customer gets back for some of a sale, after the refunds that were `done` before.
 *
 * Amounts are cumulative: the yen of a line and the tax of a rate are the difference between before and after, never
 * rounded for themselves. So any partial refunds in any order end at exactly what was paid, and none is negative or more
 * than is left, even if the company's rounding was changed in between.
 */
export function refund(
  sale: RefundableSale,
  done: readonly Refunded[],
  asked: readonly RefundAsk[],
  rounding: Rounding,
): Refund | Refusal {
  if (sale.state === "voided")
    return refuse("sale_voided", "この会計は取り消されています。返金するものはありません。");
  if (asked.length === 0) return refuse("nothing_asked", "返品する商品を選んでください。");
  if (asked.some(({ qty }) => !Number.isSafeInteger(qty) || qty <= 0))
    return refuse("bad_qty", "返品する数を1以上の整数で入力してください。");
  const asks = new Map(asked.map((ask) => [ask.lineNo, ask]));
  if (asks.size < asked.length)
    return refuse("line_twice", "同じ行が二度あります。一つの行は、一度に一つの扱いで返品してください。");
  const unknown = asked.find(({ lineNo }) => !sale.lines.some((line) => line.lineNo === lineNo));
  if (unknown)
    return refuse(
      "line_unknown",
      `この会計に${unknown.lineNo}行目はありません。レシートの行を確かめてください。`,
    );

  const returned = sums(done.flatMap(({ lines }) => lines.map(({ lineNo, qty }) => [lineNo, qty])));
  const lines: Refund["lines"] = [];
  for (const line of sale.lines) {
    const ask = asks.get(line.lineNo);
    if (!ask) continue;
    const before = returned.get(line.lineNo) ?? 0;
    const after = before + ask.qty;
    if (after > line.qty)
      return refuse(
        "above_sold",
        `「${line.name}」で返品できるのはあと${line.qty - before}点です(会計${line.qty}点、返品済み${before}点)。`,
      );
    lines.push({ ...ask, amountYen: priceOf(line, after) - priceOf(line, before) });
    returned.set(line.lineNo, after);
  }

  const left = sale.lines.map((line) => ({
    ratePct: line.ratePct,
    amountYen: line.amountYen - priceOf(line, returned.get(line.lineNo) ?? 0),
  }));
  const totalYen = lines.reduce((total, { amountYen }) => total + amountYen, 0);
  return {
    lines,
    taxes: taxesOf(sale, done, lines, taxes(left, rounding)),
    payments: paymentsOf(sale, done, totalYen),
    totalYen,
  };
}

/** What the first `qty` pieces of a line cost; the last of them brings it to the line's amount. */
function priceOf(line: { qty: number; amountYen: Yen }, qty: number): Yen {
  const product = line.amountYen * qty;
  return (product - (product % line.qty)) / line.qty;
}

/** By rate: the tax that was still in the sale before, less the tax of what is `left` of it. */
function taxesOf(
  sale: RefundableSale,
  done: readonly Refunded[],
  lines: Refund["lines"],
  left: TaxGroup[],
): TaxGroup[] {
  const rateOf = new Map(sale.lines.map(({ lineNo, ratePct }) => [lineNo, ratePct]));
  const gross = sums(lines.map(({ lineNo, amountYen }) => [rateOf.get(lineNo) as Rate, amountYen]));
  const back = sums(done.flatMap((one) => one.taxes.map(({ ratePct, taxYen }) => [ratePct, taxYen])));
  return sale.taxes.flatMap(({ ratePct, taxYen }) => {
    const grossYen = gross.get(ratePct);
    if (grossYen === undefined) return [];
    const before = taxYen - (back.get(ratePct) ?? 0);
    const rest = left.find((group) => group.ratePct === ratePct)?.taxYen ?? 0;
    // The two bounds matter only when the company has changed its rounding since.
    const after = Math.max(before - grossYen, Math.min(before, rest));
    return [{ ratePct, grossYen, taxYen: before - after }];
  });
}

/** To where it came from: each payment gets back at most what it paid, so a card's money never leaves as cash. */
function paymentsOf(sale: RefundableSale, done: readonly Refunded[], totalYen: Yen): Refund["payments"] {
  const back = sums(done.flatMap((one) => one.payments.map(({ lineNo, amountYen }) => [lineNo, amountYen])));
  let due = totalYen;
  return sale.payments.flatMap(({ lineNo, method, amountYen }) => {
    const now = Math.min(due, amountYen - (back.get(lineNo) ?? 0));
    due -= now;
    return now === 0 ? [] : [{ lineNo, method, amountYen: now }];
  });
}

/** The sum for each key. */
function sums(pairs: readonly [key: number, value: number][]): Map<number, number> {
  const totals = new Map<number, number>();
  for (const [key, value] of pairs) totals.set(key, (totals.get(key) ?? 0) + value);
  return totals;
}

function refuse(refused: string, message: string): Refusal {
  return { refused, message };
}
