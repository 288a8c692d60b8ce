import { random } from "./random.ts";

/** A product of the store by its place in a list that is the same on every start, and how many pieces. */
export type Line = { product: number; qty: number };

/** What somebody does at the shop. */
export type Deed =
  | { kind: "sale"; till: number; lines: Line[]; mail: boolean }
  | { kind: "receive"; till: number; lines: Line[] }
  | { kind: "order"; lines: Line[] }
  | { kind: "mall"; product: number; qty: number };

/** What happens to the shop. */
export type Fault =
  | { kind: "kill"; service: string }
  | { kind: "freeze"; service: string; ms: number }
  | { kind: "database" };

/** One step: `n` names it for ever, also in a shortened story; `at` is in ms from the start. */
export type Step = { n: number; at: number } & (Deed | Fault);

export type StoryOptions = {
  seed: number;
  minutes: number;
  /** Deeds per second. */
  rate: number;
  /** Mean seconds between two faults; 0 for none. */
  faultSeconds: number;
  /** Who may be killed or frozen. */
  services: string[];
};

const TILLS = 4;
/** How many of a store's products a story sells: few, so that they are fought over. */
export const PRODUCTS = 12;

/** The story of a seed: the same options are the same steps, on every machine. */
export function storyOf({ seed, minutes, rate, faultSeconds, services }: StoryOptions): Step[] {
  const { below, chance, exponential, pick } = random(seed);
  const end = minutes * 60_000;
  const steps: ({ at: number } & (Deed | Fault))[] = [];
  const lines = (most: number): Line[] => {
    const products = new Set(Array.from({ length: 1 + below(most) }, () => below(PRODUCTS)));
    return [...products].map((product) => ({ product, qty: 1 + below(3) }));
  };
  for (let at = exponential(1000 / rate); at < end; at += exponential(1000 / rate)) {
    const till = below(TILLS);
    const what = below(100);
    if (what < 70) steps.push({ at, kind: "sale", till, lines: lines(4), mail: chance(0.2) });
    else if (what < 80) steps.push({ at, kind: "receive", till, lines: lines(3) });
    else if (what < 95) steps.push({ at, kind: "order", lines: lines(2) });
    else steps.push({ at, kind: "mall", product: below(PRODUCTS), qty: 1 + below(2) });
  }
  if (faultSeconds > 0) {
    for (let at = exponential(faultSeconds * 1000); at < end; at += exponential(faultSeconds * 1000)) {
      const what = below(100);
      if (what < 65) steps.push({ at, kind: "kill", service: pick(services) });
      else if (what < 90) steps.push({ at, kind: "freeze", service: pick(services), ms: 500 + below(6000) });
      else steps.push({ at, kind: "database" });
    }
  }
  return steps.toSorted((a, b) => a.at - b.at).map((step, n) => ({ ...step, n, at: Math.round(step.at) }));
}

export function isFault(step: Step): step is Step & Fault {
  return step.kind === "kill" || step.kind === "freeze" || step.kind === "database";
}

/** One line for people. */
export function tell(step: Step): string {
  return `${(step.at / 1000).toFixed(1).padStart(6)} s  #${String(step.n).padEnd(5)} ${whatHappens(step)}`;
}

function whatHappens(step: Step): string {
  const goods = (lines: Line[]) => lines.map(({ product, qty }) => `${qty}×p${product}`).join(" ");
  switch (step.kind) {
    case "sale":
      return `till ${step.till} sells ${goods(step.lines)}${step.mail ? " and mails the receipt" : ""}`;
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
    case "database":
      return "PostgreSQL is killed";
    default:
      return step satisfies never;
  }
}
