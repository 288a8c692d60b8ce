import { invariants } from "@noren/database/invariants";
import { connect, inCompany } from "@noren/database";
import { demo } from "@noren/database/seed";
import { auditMismatchFound } from "@noren/events";
import { pieces, settlements } from "./settlements.ts";
import type { Outcome } from "./shop.ts";
import type { Heard } from "./tap.ts";
import { pause } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** Something that must not be. `n` is the step of the story that it befell, where there is one. */
export type Violation = { law: string; what: string; n?: number };

/** What the shop owns. */
export type Books = {
  onHand: Map<string, number>;
  /** The products by store, item and condition: of what a store had never had, nobody knew the product before. */
  placed: Map<string, string>;
  cashYen: number;
};

export async function readBooks(workspace: Workspace): Promise<Books> {
  const levels = await workspace.rows<{ id: string; place: string; qty: number }>(
    `select product_id as id, concat_ws('/', store_id, item_id, condition) as place, on_hand as qty
     from stock_levels join products on products.id = product_id`,
  );
  const [cash] = await workspace.rows<{ yen: number }>(
    "select coalesce(sum(amount_yen), 0)::float8 as yen from cash_moves",
  );
  return {
    onHand: new Map(levels.map(({ id, qty }) => [id, qty])),
    placed: new Map(levels.map(({ id, place }) => [place, id])),
    cashYen: cash?.yen ?? 0,
  };
}

/**
 * Waits until nothing is under way: every service ready, every queue and the outbox empty, every mail sent. Returns what
 * still moved when the time was over.
 */
export async function quiet(workspace: Workspace, timeoutMs: number): Promise<string[]> {
  let calm = 0;
  for (const until = Date.now() + timeoutMs; ; await pause(500)) {
    const left = await underWay(workspace);
    calm = left.length === 0 ? calm + 1 : 0;
    // Twice: a message may be between an outbox and a queue while we look.
    if (calm === 2) return [];
    if (Date.now() > until) return left;
  }
}

async function underWay(workspace: Workspace): Promise<string[]> {
  const { workloads, queues, invocations } = workspace.running.state();
  const left: string[] = [];
  for (const { name, kind, status } of workloads)
    if (kind === "service" && status !== "ready") left.push(`${name} is ${status}`);
  for (const { workload, ready, inFlight, delayed } of queues)
    if (ready + inFlight + delayed > 0)
      left.push(`the queue of ${workload} holds ${ready} + ${inFlight} in flight`);
  const [rows] = await workspace.rows<{ outbox: number; mails: number }>(
    `select (select count(*)::int from outbox) as outbox,
            (select count(*)::int from notifications where state = 'pending') as mails`,
  );
  if (invocations > 0) left.push(`${invocations} invocations of functions have not succeeded`);
  if (rows?.outbox) left.push(`the outbox holds ${rows.outbox} rows`);
  if (rows?.mails) left.push(`${rows.mails} mails are not sent`);
  return left;
}

/** What has happened until nothing moved any more. */
export type Story = {
  before: Books;
  after: Books;
  outcomes: Outcome[];
  heard: Heard[];
  /** Of every queue but our own. */
  queues: { queue: string; messages: number }[];
  /** A broker that crashes forgets which events it has had. What is sent to it again is heard again; nobody else may. */
  brokerCrashed: boolean;
};

/** Everything that is wrong after the story has ended and nothing moves any more; nothing, when all is well. */
export async function prove(workspace: Workspace, story: Story): Promise<Violation[]> {
  const { outcomes } = story;
  return [
    ...outcomes
      .filter(({ result }) => result === "unanswered")
      .map(({ step, why }) => ({ law: "answered", what: `no answer in 90 s, at last ${why}`, n: step.n })),
    ...outcomes.flatMap(({ step, wrong }) =>
      wrong === undefined ? [] : [{ law: "identity", what: wrong, n: step.n }],
    ),
    ...(await settledOnce(workspace, outcomes)),
    ...conserved(story),
    ...(await lawful(workspace)),
    ...(await leftOver(workspace, story)),
    ...inOrder(story),
    ...told(story),
    ...foundBroken(story),
  ];
}

async function settledOnce(workspace: Workspace, outcomes: Outcome[]): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const [kind, { sql, expected }] of Object.entries(settlements)) {
    const accepted = outcomes.filter(({ step, result }) => step.kind === kind && result === "accepted");
    const values = [accepted.map(({ id }) => id), accepted.map(({ lines }) => pieces(lines))];
    const rows = await workspace.rows<{ id: string }>(sql, values);
    const found = new Map(rows.map(({ id, ...parts }) => [id, parts]));
    for (const outcome of accepted) {
      const [want, have] = [JSON.stringify(expected(outcome)), JSON.stringify(found.get(outcome.id))];
      if (want === have) continue;
      violations.push({
        law: "settled once",
        what: `${kind} ${outcome.id} should be ${want} and is ${have}`,
        n: outcome.step.n,
      });
    }
  }
  return violations;
}

/** Goods and money: what there was, and what the answers to tills said, make what there is. */
function conserved({ before, after, outcomes }: Story): Violation[] {
  const expected = new Map(before.onHand);
  let { cashYen } = before;
  for (const { result, moved, cashYen: yen } of outcomes) {
    if (result !== "accepted") continue;
    for (const { productId, qty } of moved) {
      const id = after.placed.get(productId) ?? productId;
      expected.set(id, (expected.get(id) ?? 0) + qty);
    }
    cashYen += yen;
  }
  const violations: Violation[] = [];
  for (const id of new Set([...expected.keys(), ...after.onHand.keys()])) {
    const [want, have] = [expected.get(id) ?? 0, after.onHand.get(id) ?? 0];
    if (want !== have)
      violations.push({ law: "stock conserved", what: `product ${id} should have ${want} and has ${have}` });
  }
  if (after.cashYen !== cashYen) {
    violations.push({
      law: "cash conserved",
      what: `the books should hold ${cashYen} yen and hold ${after.cashYen}`,
    });
  }
  return violations;
}

/** The shop's own laws, with no grace: everything has arrived. */
async function lawful(workspace: Workspace): Promise<Violation[]> {
  const { database } = workspace.running.state();
  const [first] = database?.databases ?? [];
  const connected = connect({
    DATABASE_HOST: database!.host,
    DATABASE_PORT: database!.port,
    DATABASE_NAME: first!.name,
    DATABASE_USER: first!.owner,
  });
  try {
    const violations: Violation[] = [];
    for (const { find } of invariants) {
      const mismatches = await inCompany(connected, demo.company.id, (tx) => find(tx, { graceSeconds: 0 }));
      for (const { check, subjectId, expected, actual } of mismatches) {
        violations.push({ law: check, what: `${subjectId} should be ${expected} and is ${actual}` });
      }
    }
    return violations;
  } finally {
    await connected.close();
  }
}

async function leftOver(workspace: Workspace, { queues }: Story): Promise<Violation[]> {
  const violations: Violation[] = queues
    .filter(({ messages }) => messages > 0)
    .map(({ queue, messages }) => ({ law: "nothing left over", what: `${messages} messages in ${queue}` }));
  const counts = await workspace.rows<{ what: string; n: number; example: string | null }>(
    `select 'parked' as what, count(*)::int as n, min(error) as example from parked
     union all select 'parked groups', count(*)::int, min(reason) from parked_group
     union all select 'outbox', count(*)::int, min(type) from outbox
     union all select 'inbox_stray', count(*)::int, null from inbox_stray
     union all select 'failed mails', count(*)::int, min(error) from notifications where state = 'failed'`,
  );
  for (const { what, n, example } of counts) {
    if (n > 0)
      violations.push({
        law: "nothing left over",
        what: `${n} in ${what}${example ? `: ${example.split("\n")[0]}` : ""}`,
      });
  }
  return violations;
}

/** Of each aggregate, each topic tells every version once and never an older one after a newer. */
function inOrder({ heard, brokerCrashed }: Story): Violation[] {
  const violations: Violation[] = [];
  const last = new Map<string, number>();
  const known = new Set<string>();
  for (const { topic, id, type, aggregate } of heard) {
    if (known.has(id)) {
      if (!brokerCrashed) violations.push({ law: "order kept", what: `${type} ${id} was delivered twice` });
      continue;
    }
    known.add(id);
    if (aggregate.seq === undefined) continue;
    const key = `${topic}/${aggregate.id}`;
    const before = last.get(key) ?? 0;
    if (aggregate.seq < before)
      violations.push({
        law: "order kept",
        what: `${type} of ${aggregate.id} with version ${aggregate.seq} came after version ${before}`,
      });
    last.set(key, Math.max(before, aggregate.seq));
  }
  return violations;
}

/** Of each accepted document that has an event the world was told, once; of two refunds of one sale, twice. */
function told({ outcomes, heard }: Story): Violation[] {
  const news = ({ step, id, aggregate }: Outcome) => `${settlements[step.kind].event} of ${aggregate ?? id}`;
  const events = Map.groupBy(heard, ({ type, aggregate }) => `${type} of ${aggregate.id}`);
  const due = outcomes.filter(({ step, result }) => result === "accepted" && settlements[step.kind].event);
  return [...Map.groupBy(due, news)].flatMap(([what, accepted]) => {
    const n = new Set(events.get(what)?.map(({ id }) => id)).size;
    if (n === accepted.length) return [];
    const times = `told ${n} times for ${accepted.length} documents`;
    return [{ law: "told once", what: `${what} was ${times}`, n: accepted[0]!.step.n }];
  });
}

/** Whenever the job that looks for mismatches ran, also in the midst of it all, there was none. */
function foundBroken({ heard }: Story): Violation[] {
  return heard
    .filter(({ type }) => type === auditMismatchFound.type)
    .map(({ id }) => ({
      law: "nothing found",
      what: `job-ensure-consistency found a mismatch: event ${id}`,
    }));
}
