import { demo } from "@noren/database/seed";
import { random } from "./random.ts";

/** A product of the store by its place in a list that is the same on every start, and how many pieces. */
export type Line = { product: number; qty: number };

/** Pieces of a line of a receipt, from 1, and whether they can be sold again. */
type Return = { lineNo: number; qty: number; restock: boolean };

/** Whoever sells to the shop says who they are, does not, or takes the goods home again. */
type Seller = "named" | "unnamed" | "unwilling";

/** What somebody does at the shop. */
export type Deed =
  | { kind: "sale"; till: number; lines: Line[]; mail: boolean }
  /** `sale` is the step at which it was sold, in the same store; `mail`: whether that customer left an address. */
  | { kind: "refund"; till: number; sale: number; lines: Return[]; mail: boolean }
  /** `unitYen` a piece. What stands behind the products in the list is what the store has never had. */
  | { kind: "buyback"; till: number; lines: Line[]; unitYen: number; seller: Seller }
  | { kind: "receive"; till: number; lines: Line[] }
  | { kind: "order"; lines: Line[] }
  | { kind: "mall"; product: number; qty: number };

/** What happens to the shop. A deployment and a job are no faults, but come at a bad time like one. */
export type Fault =
  | { kind: "kill"; service: string }
  | { kind: "freeze"; service: string; ms: number }
  | { kind: "deploy"; service: string }
  | { kind: "database" }
  | { kind: "stall"; ms: number }
  | { kind: "broker"; ms: number }
  | { kind: "job"; job: string };

/** One step: `n` names it for ever, also in a shortened story; `at` is in ms from the start. */
export type Step = { n: number; at: number } & (Deed | Fault);

export type StoryOptions = {
  seed: number;
  minutes: number;
  /** Deeds per second. */
  rate: number;
  /** Mean seconds between two faults; 0 for none. */
  faultSeconds: number;
  /** Who may be killed, frozen or deployed anew. */
  services: string[];
  /** Whose time may come. */
  jobs: string[];
};

const TILLS = demo.registers.length;
const storeOf = (till: number) => demo.registers[till]?.store;
/** Out of how many of a store's last sales a customer comes back: few, so that some come back twice, and too often. */
const RECENT = 10;
/** How many of a store's products a story sells: few, so that they are fought over. */
export const PRODUCTS = 12;
/** How many things are brought that the store has never had: few, so that two tills get the same at once. */
export const UNSEEN = 3;

/** The story of a seed: the same options are the same steps, on every machine. */
export function storyOf({ seed, minutes, rate, faultSeconds, services, jobs }: StoryOptions): Step[] {
  const { below, chance, exponential, pick, weighted } = random(seed);
  const lines = (most: number, from = PRODUCTS): Line[] => {
    const products = new Set(Array.from({ length: 1 + below(most) }, () => below(from)));
    return [...products].map((product) => ({ product, qty: 1 + below(3) }));
  };
  const boxes = ({ product, qty }: Line): Line => ({ product, qty: qty * 8 });
  const till = () => below(TILLS);
  // Up to and above 10,000 yen in all, from where the law asks who sells.
  const offer = () => ({
    unitYen: 50 + below(3000),
    seller: weighted<Seller>([
      [5, () => "named"],
      [3, () => "unnamed"],
      [2, () => "unwilling"],
    ]),
  });
  const deeds: [number, () => Deed][] = [
    [70, () => ({ kind: "sale", till: till(), lines: lines(4), mail: chance(0.2) })],
    // Of which sale is known when the sales are.
    [10, () => ({ kind: "refund", till: till(), sale: -1, lines: [], mail: false })],
    [10, () => ({ kind: "buyback", till: till(), lines: lines(3, PRODUCTS + UNSEEN), ...offer() })],
    // By the box: about as much as is sold, so that orders find something on the shelves, and sometimes nothing.
    [10, () => ({ kind: "receive", till: till(), lines: lines(3).map(boxes) })],
    [15, () => ({ kind: "order", lines: lines(2) })],
    [5, () => ({ kind: "mall", product: below(PRODUCTS), qty: 1 + below(2) })],
  ];
  const faults: [number, () => Fault][] = [
    [45, () => ({ kind: "kill", service: pick(services) })],
    [20, () => ({ kind: "freeze", service: pick(services), ms: 500 + below(6000) })],
    [10, () => ({ kind: "deploy", service: pick(services) })],
    [7, () => ({ kind: "database" })],
    [5, () => ({ kind: "stall", ms: 500 + below(7500) })],
    [10, () => ({ kind: "broker", ms: 500 + below(5500) })],
    [7, () => ({ kind: "job", job: pick(jobs) })],
  ];

  const end = minutes * 60_000;
  const steps: ({ at: number } & (Deed | Fault))[] = [];
  const tellEvery = (meanMs: number, what: readonly [number, () => Deed | Fault][]) => {
    for (let at = exponential(meanMs); at < end; at += exponential(meanMs))
      steps.push({ at, ...weighted(what) });
  };
  tellEvery(1000 / rate, deeds);
  if (faultSeconds > 0) tellEvery(faultSeconds * 1000, faults);
  const sold: Extract<Step, { kind: "sale" }>[] = [];
  return steps
    .toSorted((a, b) => a.at - b.at)
    .map((step, n): Step => {
      const told = { ...step, n, at: Math.round(step.at) };
      if (told.kind === "sale") sold.push(told);
      return told.kind === "refund" ? ofSale(told) : told;
    });

  /** A refund of one of the last sales of its store: some of its lines, some of their pieces. */
  function ofSale(refund: Extract<Step, { kind: "refund" }>): Step {
    const recent = sold.filter(({ till: at }) => storeOf(at) === storeOf(refund.till)).slice(-RECENT);
    // Who comes back before anything was sold, buys.
    const { n, at, till: own } = refund;
    if (recent.length === 0) return { n, at, kind: "sale", till: own, lines: lines(4), mail: chance(0.2) };
    const sale = pick(recent);
    const back = sale.lines.flatMap(({ qty }, index): Return[] =>
      chance(0.6) ? [{ lineNo: index + 1, qty: 1 + below(qty), restock: chance(0.7) }] : [],
    );
    const [first] = sale.lines;
    const one = { lineNo: 1, qty: first!.qty, restock: true };
    return { ...refund, sale: sale.n, lines: back.length > 0 ? back : [one], mail: sale.mail };
  }
}

const faultKinds: readonly string[] = [
  "kill",
  "freeze",
  "deploy",
  "database",
  "stall",
  "broker",
  "job",
] satisfies Fault["kind"][];

export function isFault(step: Step): step is Step & Fault {
  return faultKinds.includes(step.kind);
}

/** One line for people. */
export function tell(step: Step): string {
  return `${(step.at / 1000).toFixed(1).padStart(6)} s  #${String(step.n).padEnd(5)} ${whatHappens(step)}`;
}

/** The step in words. */
export function whatHappens(step: Step): string {
  const goods = (lines: Line[]) => lines.map(({ product, qty }) => `${qty}×p${product}`).join(" ");
  switch (step.kind) {
    case "sale":
      return `till ${step.till} sells ${goods(step.lines)}${step.mail ? " and mails the receipt" : ""}`;
    case "refund":
      return `till ${step.till} takes back ${step.lines.map(returned).join(" ")} of #${step.sale}`;
    case "buyback":
      return `till ${step.till} buys ${goods(step.lines)} at ${step.unitYen} yen, ${sellers[step.seller]}`;
    case "receive":
      return `till ${step.till} receives ${goods(step.lines)}`;
    case "order":
      return `a shopper orders ${goods(step.lines)}`;
    case "mall":
      return `the mall sells ${goods([step])}`;
    case "kill":
      return `kill -9 ${step.service}`;
    case "freeze":
      return `${step.service} is frozen for ${step.ms} ms`;
    case "deploy":
      return `${step.service} is deployed: SIGTERM and a new start`;
    case "database":
      return "PostgreSQL is killed";
    case "stall":
      return `PostgreSQL stands still for ${step.ms} ms`;
    case "broker":
      return `SNS and SQS crash and are away for ${step.ms} ms`;
    case "job":
      return `${step.job} runs`;
    default:
      return step satisfies never;
  }
}

const sellers: Record<Seller, string> = {
  named: "seller identified",
  unnamed: "seller not identified",
  unwilling: "seller declines",
};

const returned = ({ lineNo, qty, restock }: Return) => `${qty}×line ${lineNo}${restock ? "" : " (broken)"}`;
