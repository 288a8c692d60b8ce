import { random } from "./random.ts";

/** A product of the store by its place in a list that is the same on every start, and how many pieces. */
export type Line = { product: number; qty: number };

/** What somebody does at the shop. */
export type Deed =
  | { kind: "sale"; till: number; lines: Line[]; mail: boolean }
  | { kind: "receive"; till: number; lines: Line[] }
  | { kind: "order"; lines: Line[] }
  | { kind: "mall"; product: number; qty: number };

/** What happens to the shop. A deployment and a job are no faults, but come at a bad time like one. */
export type Fault =
  | { kind: "kill"; service: string }
  | { kind: "freeze"; service: string; ms: number }
  | { kind: "deploy"; service: string }
  | { kind: "database" }
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

const TILLS = 4;
/** How many of a store's products a story sells: few, so that they are fought over. */
export const PRODUCTS = 12;

/** The story of a seed: the same options are the same steps, on every machine. */
export function storyOf({ seed, minutes, rate, faultSeconds, services, jobs }: StoryOptions): Step[] {
  const { below, chance, exponential, pick, weighted } = random(seed);
  const lines = (most: number): Line[] => {
    const products = new Set(Array.from({ length: 1 + below(most) }, () => below(PRODUCTS)));
    return [...products].map((product) => ({ product, qty: 1 + below(3) }));
  };
  const till = () => below(TILLS);
  const deeds: [number, () => Deed][] = [
    [70, () => ({ kind: "sale", till: till(), lines: lines(4), mail: chance(0.2) })],
    [10, () => ({ kind: "receive", till: till(), lines: lines(3) })],
    [15, () => ({ kind: "order", lines: lines(2) })],
    [5, () => ({ kind: "mall", product: below(PRODUCTS), qty: 1 + below(2) })],
  ];
  const faults: [number, () => Fault][] = [
    [45, () => ({ kind: "kill", service: pick(services) })],
    [20, () => ({ kind: "freeze", service: pick(services), ms: 500 + below(6000) })],
    [10, () => ({ kind: "deploy", service: pick(services) })],
    [8, () => ({ kind: "database" })],
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
  return steps.toSorted((a, b) => a.at - b.at).map((step, n) => ({ ...step, n, at: Math.round(step.at) }));
}

const faultKinds: readonly string[] = [
  "kill",
  "freeze",
  "deploy",
  "database",
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
    case "broker":
      return `SNS and SQS crash and are away for ${step.ms} ms`;
    case "job":
      return `${step.job} runs`;
    default:
      return step satisfies never;
  }
}
