import { invariants } from "@noren/database/invariants";
import { connect, inCompany } from "@noren/database";
import { demo } from "@noren/database/seed";
import type { Outcome } from "./shop.ts";
import type { Heard } from "./tap.ts";
import { pause } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** Something that must not be. `n` is the step of the story that it befell, where there is one. */
export type Violation = { law: string; what: string; n?: number };

/** What the shop owned before the story. */
export type Books = { onHand: Map<string, number>; cashYen: number };

export async function readBooks(workspace: Workspace): Promise<Books> {
  const levels = await workspace.rows<{ id: string; qty: number }>(
    "select product_id as id, on_hand as qty from stock_levels",
  );
  const [cash] = await workspace.rows<{ yen: number }>(
    "select coalesce(sum(amount_yen), 0)::float8 as yen from cash_moves",
  );
  return { onHand: new Map(levels.map(({ id, qty }) => [id, qty])), cashYen: cash?.yen ?? 0 };
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
  const { workloads, queues } = workspace.running.state();
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
  if (rows?.outbox) left.push(`the outbox holds ${rows.outbox} rows`);
  if (rows?.mails) left.push(`${rows.mails} mails are not sent`);
  return left;
}

/** Everything that is wrong after the story has ended and nothing moves any more; nothing, when all is well. */
export async function prove(
  workspace: Workspace,
  before: Books,
  outcomes: Outcome[],
  heard: Heard[],
): Promise<Violation[]> {
  return [
    ...outcomes
      .filter(({ result }) => result === "unanswered")
      .map(({ step, why }) => ({ law: "answered", what: `no answer in 90 s, at last ${why}`, n: step.n })),
    ...(await settledOnce(workspace, outcomes)),
    ...(await conserved(workspace, before, outcomes)),
    ...(await lawful(workspace)),
    ...(await leftOver(workspace)),
    ...inOrder(heard),
    ...told(outcomes, heard),
  ];
}

/** What each kind of accepted document must have caused, once: the statement answers one row per document. */
const settlements: Record<Outcome["step"]["kind"], { sql: string; expected: (outcome: Outcome) => object }> =
  {
    sale: {
      sql: `select d.id, (select count(*)::int from sales where id = d.id::uuid) as documents,
      (select count(*)::int from cash_moves where source_id = d.id::uuid) as cash,
      (select coalesce(-sum(qty), 0)::int from stock_moves where source_type = 'sale' and source_id = d.id::uuid) as pieces,
      (select count(*)::int from reservations where owner_id = d.id::uuid and state = 'held') as held,
      (select count(*)::int from notifications where dedupe_key = 'receipt/' || d.id and state = 'sent') as mails
      from unnest($1::text[]) as d (id)`,
      expected: ({ step, lines }) => ({
        documents: 1,
        cash: 1,
        pieces: pieces(lines),
        held: 0,
        mails: step.kind === "sale" && step.mail ? 1 : 0,
      }),
    },
    receive: {
      sql: `select d.id, (select count(*)::int from receivings where id = d.id::uuid) as documents,
      (select count(*)::int from receivings r where r.supplier_name =
        (select supplier_name from receivings where id = d.id::uuid)) as alike,
      (select coalesce(sum(qty), 0)::int from stock_moves where kind = 'receive' and source_id = d.id::uuid) as pieces
      from unnest($1::text[]) as d (id)`,
      expected: ({ lines }) => ({ documents: 1, alike: 1, pieces: pieces(lines) }),
    },
    order: {
      sql: `select d.id, (select count(*)::int from orders where id = d.id::uuid) as documents,
      (select coalesce(sum(qty), 0)::int from reservations where owner_id = d.id::uuid and state = 'held') as held,
      (select count(*)::int from notifications where dedupe_key = 'order-placed/' || d.id and state = 'sent') as mails
      from unnest($1::text[]) as d (id)`,
      expected: ({ lines }) => ({ documents: 1, held: pieces(lines), mails: 1 }),
    },
    mall: {
      // Without enough goods a mall's order is imported all the same, and is short.
      sql: `select d.id, count(o.id)::int as documents,
      coalesce(sum(case when o.state = 'short' then $2::int else
        (select coalesce(sum(qty), 0)::int from reservations where owner_id = o.id and state = 'held') end), 0)::int as held
      from unnest($1::text[]) as d (id) left join orders o on o.mall_order_no = d.id group by d.id`,
      expected: ({ lines }) => ({ documents: 1, held: pieces(lines) }),
    },
  };

async function settledOnce(workspace: Workspace, outcomes: Outcome[]): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const [kind, { sql, expected }] of Object.entries(settlements)) {
    const accepted = outcomes.filter(({ step, result }) => step.kind === kind && result === "accepted");
    // The mall's statement needs to know the pieces of a short order, so it asks for one after the other.
    const groups = kind === "mall" ? accepted.map((one) => [one]) : [accepted];
    for (const group of groups) {
      const values: unknown[] = [group.map(({ id }) => id)];
      if (kind === "mall") values.push(pieces(group[0]!.lines));
      const rows = await workspace.rows<{ id: string }>(sql, values);
      const found = new Map(rows.map(({ id, ...parts }) => [id, parts]));
      for (const outcome of group) {
        const [want, have] = [JSON.stringify(expected(outcome)), JSON.stringify(found.get(outcome.id))];
        if (want !== have) {
          violations.push({
            law: "settled once",
            what: `${kind} ${outcome.id} should be ${want} and is ${have}`,
            n: outcome.step.n,
          });
        }
      }
    }
  }
  return violations;
}

/** Goods and money: what there was, and what the answers to tills said, make what there is. */
async function conserved(workspace: Workspace, before: Books, outcomes: Outcome[]): Promise<Violation[]> {
  const now = await readBooks(workspace);
  const expected = new Map(before.onHand);
  let cashYen = before.cashYen;
  for (const { step, result, lines, totalYen } of outcomes) {
    if (result !== "accepted" || (step.kind !== "sale" && step.kind !== "receive")) continue;
    const sign = step.kind === "sale" ? -1 : 1;
    for (const { productId, qty } of lines)
      expected.set(productId, (expected.get(productId) ?? 0) + sign * qty);
    cashYen += totalYen;
  }
  const violations: Violation[] = [];
  for (const [id, qty] of now.onHand) {
    if (qty !== expected.get(id)) {
      violations.push({
        law: "stock conserved",
        what: `product ${id} should have ${expected.get(id)} and has ${qty}`,
      });
    }
  }
  if (now.cashYen !== cashYen) {
    violations.push({
      law: "cash conserved",
      what: `the books should hold ${cashYen} yen and hold ${now.cashYen}`,
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

async function leftOver(workspace: Workspace): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const { workload, deadLetter } of workspace.running.state().queues) {
    if (deadLetter && deadLetter.messages > 0)
      violations.push({
        law: "nothing left over",
        what: `${deadLetter.messages} dead letters of ${workload}`,
      });
  }
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
function inOrder(heard: Heard[]): Violation[] {
  const violations: Violation[] = [];
  const last = new Map<string, number>();
  const ids = new Set<string>();
  for (const { topic, id, type, aggregate } of heard) {
    if (ids.has(id)) violations.push({ law: "order kept", what: `${type} ${id} was delivered twice` });
    ids.add(id);
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

/** Of each accepted sale and order the world was told, once. */
function told(outcomes: Outcome[], heard: Heard[]): Violation[] {
  const news = { sale: "sale.completed", order: "order.placed" } as const;
  const times = Map.groupBy(heard, ({ type, aggregate }) => `${type}/${aggregate.id}`);
  return outcomes.flatMap(({ step, id, result }) => {
    if (result !== "accepted" || (step.kind !== "sale" && step.kind !== "order")) return [];
    const n = times.get(`${news[step.kind]}/${id}`)?.length ?? 0;
    return n === 1
      ? []
      : [{ law: "told once", what: `${news[step.kind]} of ${id} was heard ${n} times`, n: step.n }];
  });
}

function pieces(lines: { qty: number }[]): number {
  return lines.reduce((sum, { qty }) => sum + qty, 0);
}
