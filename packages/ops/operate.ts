import { newId } from "@noren/events";
import type { PoolClient } from "pg";
import { explain } from "./explain.ts";
import type { Output } from "./print.ts";
import { Refusal } from "./refusal.ts";
import type { Target } from "./target.ts";

/** What is written down of one step. */
export type Entry = {
  /** What was done to it: `edit`, `discard`, `replay`, `redrive`, `retry`, `skip`. */
  action: string;
  workload?: string;
  /** The message: its event id, else the group. */
  subject: string;
  detail?: object;
  /** What companies lose or change by it goes into their own audit_log too: the events concerned, by their bodies. */
  companies?: { bodies: string[]; action: string };
};

export type Intent = {
  dryRun: boolean;
  reason?: string | undefined;
  approver?: string | undefined;
  output: Output;
};

/**
 * Runs `work` in one transaction, with what it did written down in the same. A dry run does everything and then rolls it
 * back, so that what it shows is what would happen.
 */
export async function operate<T>(
  target: Target,
  { dryRun, reason, approver, output }: Intent,
  work: (client: PoolClient, record: (entry: Entry) => Promise<void>) => Promise<T>,
): Promise<T> {
  const [pool, actor] = [await target.database(), await target.actor()];
  const client = await reached(pool.connect(), target);
  try {
    await client.query("begin");
    const result = await work(
      client,
      async ({ action, workload, subject, detail = {}, companies = { bodies: [], action } }) => {
        await client.query(
          `insert into operator_log (id, actor, approver, action, workload, subject, reason, detail)
           values ($1, $2, $3, $4, $5, $6, $7, $8)`,
          [
            newId(),
            actor,
            approver ?? null,
            action,
            workload ?? null,
            subject,
            reason ?? null,
            JSON.stringify(detail),
          ],
        );
        const ids = new Set(companies.bodies.map((body) => fieldsOf(body).companyId));
        for (const companyId of ids) {
          if (companyId === undefined) continue;
          const { type } = fieldsOf(companies.bodies[0] ?? "");
          const entry = { action: companies.action, actor, subject };
          await tellCompany(client, companyId, { ...entry, detail: { type, workload, reason, approver } });
        }
      },
    );
    await client.query(dryRun ? "rollback" : "commit");
    if (dryRun) output.note("Dry run: nothing was changed. To do it, type the same without --dry-run.");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

/** Runs a statement that only looks. */
export async function look<T>(target: Target, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await reached((await target.database()).connect(), target);
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

/** A line in a company's audit_log. What names no company that exists is in operator_log alone. */
async function tellCompany(
  client: PoolClient,
  companyId: string,
  { action, actor, subject, detail }: { action: string; actor: string; subject: string; detail: object },
): Promise<void> {
  await client.query("savepoint company");
  try {
    await client.query("select set_config('app.company_id', $1, true)", [companyId]);
    await client.query(
      `insert into audit_log (company_id, id, actor_type, actor_id, action, subject_type, subject_id, detail)
       values ($1, $2, 'system', $3, $4, 'event', $5, $6)`,
      [companyId, newId(), actor, action, subject, JSON.stringify(detail)],
    );
    await client.query("release savepoint company");
  } catch (error) {
    await client.query("rollback to savepoint company");
    // No such company, or no uuid: the message is wrong, and that may be why it is here.
    if (!["23503", "22P02"].includes((error as { code?: string }).code ?? "")) throw error;
  }
}

/** What a message says of itself, as far as it can be read. */
export function fieldsOf(body: string): {
  id?: string;
  type?: string;
  companyId?: string;
  aggregate?: string;
} {
  try {
    const event = JSON.parse(body) as Record<string, unknown>;
    const text = (value: unknown) => (typeof value === "string" ? value : undefined);
    return {
      id: text(event["id"]),
      type: text(event["type"]),
      companyId: text(event["companyId"]),
      aggregate: text((event["aggregate"] as Record<string, unknown> | undefined)?.["id"]),
    };
  } catch {
    return {};
  }
}

async function reached<T>(connecting: Promise<T>, target: Target): Promise<T> {
  try {
    return await connecting;
  } catch (error) {
    // A refused login was reached.
    const login = explain(error, target.name);
    const { message, code } = error as Error & { code?: string };
    if (login instanceof Refusal && code?.startsWith("28")) throw login;
    throw new Refusal(
      `the database of ${target.name} cannot be reached: ${message || code || String(error)}`,
      target.name === "local"
        ? "Is the workspace still running? Its dashboard shows the database."
        : `It has no address outside its network: use the VPN, or \`copilot/tunnel.sh ${target.name}\` in another terminal, then DATABASE_HOST=127.0.0.1 DATABASE_PORT=15432 before this command.`,
      { cause: error },
    );
  }
}

/** What cannot be undone has a reason, and where people live from it the name of a second person. */
export function demandReason(
  target: Target,
  { reason, approver }: Pick<Intent, "reason" | "approver">,
): void {
  if (!reason?.trim())
    throw new Refusal("it cannot be undone, so it needs a reason.", 'Add --reason "…".', { exitCode: 2 });
  if (target.manifests.production && !approver?.trim()) {
    throw new Refusal(
      `people live from ${target.name}: a second person has to agree.`,
      "Add --approved-by <name>.",
      { exitCode: 2 },
    );
  }
}
