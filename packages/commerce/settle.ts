import type { Refusal, Yen } from "./money.ts";

/** What the customer hands over. Only cash may be more than what is due. */
export type Tender =
  | { method: "cash"; tenderedYen: Yen }
  | { method: "card" | "qr"; amountYen: Yen; paymentId: string };

/** What pays the sale: a payment's amount never includes change. */
export type Payment =
  | { method: "cash"; amountYen: Yen; tenderedYen: Yen }
  | { method: "card" | "qr"; amountYen: Yen; paymentId: string };

/** Takes `due` out of the tenders: cards first, the rest in cash, and the change out of the cash. */
export function settle(
  due: Yen,
  tenders: readonly Tender[],
): { payments: Payment[]; changeYen: Yen } | Refusal {
  const amounts = tenders.map((tender) => (tender.method === "cash" ? tender.tenderedYen : tender.amountYen));
  if (amounts.some((amount) => !Number.isSafeInteger(amount) || amount <= 0)) {
    return refuse("bad_amount", "お預かり金額を1円以上の整数で入力してください。");
  }
  const others = tenders.filter((tender) => tender.method !== "cash");
  const paid = others.reduce((sum, { amountYen }) => sum + amountYen, 0);
  if (paid > due) return refuse("above_due", "カード・QRの金額が合計を超えています。金額を直してください。");

  const cashDue = due - paid;
  const tenderedYen = tenders.reduce(
    (sum, tender) => (tender.method === "cash" ? sum + tender.tenderedYen : sum),
    0,
  );
  if (tenderedYen < cashDue) {
    return refuse("short", `あと${(cashDue - tenderedYen).toLocaleString("ja-JP")}円足りません。`);
  }
  if (cashDue === 0 && tenderedYen > 0) {
    return refuse("cash_not_needed", "現金は要りません。お預かりした現金をお返しください。");
  }
  const cash = cashDue === 0 ? [] : [{ method: "cash" as const, amountYen: cashDue, tenderedYen }];
  return { payments: [...others, ...cash], changeYen: tenderedYen - cashDue };
}

function refuse(refused: string, message: string): Refusal {
  return { refused, message };
}
