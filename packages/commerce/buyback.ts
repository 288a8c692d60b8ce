import type { Day, Refusal, Yen } from "./money.ts";

/** 査定済 → 承諾済 → 支払済, or お断り from either of the first two. Nothing follows the last two. */
export type BuybackState = "appraised" | "agreed" | "paid_out" | "declined";
export type BuybackCommand = "agree" | "pay_out" | "decline";

/** What a line says about the law: what is paid, and whether its category's goods need identity whatever they cost. */
export type BuybackLine = {
  category: string;
  /** 書籍, 光学ディスク, ゲームソフト, 二輪車とその部品; since 2025-10-01 室外機, 電線, 金属製の溝蓋, too. */
  identityAlways: boolean;
  qty: number;
  unitPriceYen: Yen;
};

/** What the decision needs to know of the identity record; the rest of it stays where it is kept. */
export type SellerIdentity = { checkedOn: Day; birthDate: Day; guardianConsent: boolean };

/** 古物営業法施行規則: below this total identity and ledger are waived, except for goods that always need them. */
const DUTY_FROM_YEN = 10_000;
/** Prefectures forbid buying from minors without their guardians; the age of the ordinances, not of the civil code. */
const ADULT_YEARS = 18;
/** The record is kept three years from the payment, and is written before it: so it may not be older than its reserve. */
const KEEP_YEARS = 3;
const RESERVE_DAYS = 30;

const steps: Record<BuybackState, Partial<Record<BuybackCommand, BuybackState>>> = {
  appraised: { agree: "agreed", decline: "declined" },
  agreed: { pay_out: "paid_out", decline: "declined" },
  paid_out: {},
  declined: {},
};

const refusals: Record<BuybackState, Refusal> = {
  appraised: {
    refused: "not_agreed",
    message: "お客様がまだ承諾していません。承諾をいただいてから支払ってください。",
  },
  agreed: { refused: "already_agreed", message: "この買取は承諾済みです。支払うか、お断りにしてください。" },
  paid_out: {
    refused: "already_paid",
    message: "この買取は支払済みです。現金をもう一度渡さないでください。",
  },
  declined: { refused: "declined", message: "この買取はお断りで終わっています。新しく査定してください。" },
};

/** The state after a command, or why there is none. */
export function buybackAfter(state: BuybackState, command: BuybackCommand): BuybackState | Refusal {
  return steps[state][command] ?? refusals[state];
}

/** What is paid for the lines. */
export function buybackTotal(lines: readonly Pick<BuybackLine, "qty" | "unitPriceYen">[]): Yen {
  return lines.reduce((sum, { qty, unitPriceYen }) => sum + qty * unitPriceYen, 0);
}

/**
 * Whether the seller's identity must be checked and written into the ledger (古物営業法), and why, in words for the
 * screen. A further line never lifts the duty.
 */
export function identityDuty(lines: readonly BuybackLine[]): { duty: boolean; why: string[] } {
  const always = new Set(
    lines.filter(({ identityAlways }) => identityAlways).map(({ category }) => category),
  );
  const why = [
    ...(buybackTotal(lines) >= DUTY_FROM_YEN ? ["合計が10,000円以上です。"] : []),
    ...[...always].map((category) => `「${category}」は金額にかかわらず本人確認が要ります。`),
  ];
  return { duty: why.length > 0, why };
}

/**
 * What may be handed over for an agreed buy-back on a day, or why nothing may. The lines are those that the seller
 * agreed to. Whoever is known to be a minor sells only with the guardian's recorded consent, duty or not.
 */
export function mayPay(
  buyback: { state: BuybackState; lines: readonly BuybackLine[] },
  identity: SellerIdentity | null,
  on: Day,
): { totalYen: Yen; identityDuty: boolean } | Refusal {
  const next = buybackAfter(buyback.state, "pay_out");
  if (typeof next !== "string") return next;
  const { duty, why } = identityDuty(buyback.lines);
  if (duty && !identity)
    return {
      refused: "identity_missing",
      message: `${why.join("")}本人確認を登録してから支払ってください。`,
    };
  if (identity && laterBy(identity.checkedOn, RESERVE_DAYS) < on)
    return {
      refused: "identity_old",
      message: `本人確認から${RESERVE_DAYS}日を過ぎています。もう一度確かめて登録してから支払ってください。`,
    };
  if (identity && isMinor(identity.birthDate, on) && !identity.guardianConsent)
    return {
      refused: "guardian_consent_missing",
      message:
        "お客様は18歳未満です。保護者の同意を確かめ、本人確認に書いて登録し直してから支払ってください。",
    };
  return { totalYen: buybackTotal(buyback.lines), identityDuty: duty };
}

/** Until when the record of an identity is kept that was checked on a day. */
export function keepIdentityUntil(checkedOn: Day): Day {
  return laterBy(yearsAfter(checkedOn, KEEP_YEARS), RESERVE_DAYS);
}

function isMinor(birthDate: Day, on: Day): boolean {
  // Calendar days are texts in order, and a birthday on 29 February that a year lacks comes before 1 March.
  return on < yearsAfter(birthDate, ADULT_YEARS);
}

const yearsAfter = (day: Day, years: number): Day => `${Number(day.slice(0, 4)) + years}${day.slice(4)}`;

function laterBy(day: Day, days: number): Day {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1, date + days)).toISOString().slice(0, 10);
}

/** What a seller may show. How it was checked is an entry of the ledger. */
export const identityDocuments = [
  "driving_licence",
  "my_number_card",
  "passport",
  "residence_card",
  "health_insurance",
  "student_id",
  "other",
] as const;
export type IdentityDocument = (typeof identityDocuments)[number];

/** The numbers of these may not be kept: マイナンバー and 健康保険の記号・番号. The document itself is shown and named. */
export function mayKeepNumber(document: IdentityDocument): boolean {
  return document !== "my_number_card" && document !== "health_insurance";
}
