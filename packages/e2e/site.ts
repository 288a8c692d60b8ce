import { demo } from "@noren/database/seed";
import type { MailDetail, MailSummary, State } from "copilot-local";
import { Client } from "pg";

/** A running workspace as its dashboard tells it. */
export class Site {
  readonly dashboard: string;
  constructor(dashboard: string) {
    this.dashboard = dashboard.replace(/\/$/, "");
  }

  state(): Promise<State> {
    return json(`${this.dashboard}/api/state`);
  }

  /** Where a workload answers, without a slash at the end. */
  async url(name: string): Promise<string> {
    const workload = (await this.state()).workloads.find((each) => each.name === name);
    if (!workload?.url) throw new Error(`The dashboard knows no address of "${name}".`);
    return new URL(workload.url).origin;
  }

  /** Mails to one address, newest first, once there are at least `count`. */
  async mails(to: string, count = 1): Promise<MailDetail[]> {
    return eventually(`${count} mails to ${to}`, async () => {
      const all = await json<MailSummary[]>(`${this.dashboard}/api/mail`);
      const found = all.filter((mail) => mail.to.includes(to));
      if (found.length < count) return undefined;
      return Promise.all(found.map(({ id }) => json<MailDetail>(`${this.dashboard}/api/mail/${id}`)));
    });
  }

  /** Runs a job now and waits for its end. */
  runJob(name: string): Promise<{ ok: boolean | null; result: string | null }> {
    return json(`${this.dashboard}/api/jobs/${name}/run`, { method: "POST" });
  }

  /** One statement as the owner of the schema, who like everybody sees only one company's rows. */
  async rows<Row>(sql: string, values: unknown[] = [], companyId: string = demo.company.id): Promise<Row[]> {
    const { database } = await this.state();
    const [first] = database?.databases ?? [];
    if (!database || !first) throw new Error("The workspace has no database.");
    const client = new Client({
      host: database.host,
      port: database.port,
      database: first.name,
      user: first.owner,
    });
    await client.connect();
    try {
      await client.query("select set_config('app.company_id', $1, false)", [companyId]);
      return (await client.query(sql, values)).rows as Row[];
    } finally {
      await client.end();
    }
  }

  /** The stock of an item in a condition over all stores, or in one. */
  async stock(item: { itemId: string; condition: string }, storeId?: string) {
    const [level] = await this.rows<{ onHand: number; reserved: number }>(
      `select sum(on_hand)::int "onHand", sum(reserved)::int reserved
         from products join stock_levels using (company_id) where stock_levels.product_id = products.id
          and item_id = $1 and condition = $2 and ($3::uuid is null or store_id = $3)`,
      [item.itemId, item.condition, storeId ?? null],
    );
    return level!;
  }
}

/** An address that no earlier run has used: a workspace may be driven more than once. */
export function someone(name: string): string {
  return `${name}-${Date.now().toString(36)}@shopper.example`;
}

async function json<T>(url: string, init?: RequestInit): Promise<T> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

/** Looks again and again until `look` gives something, and says what never came. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | null | false>,
  timeoutMs = 30_000,
): Promise<T> {
  const until = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < until) {
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Waited ${timeoutMs / 1000} s in vain for ${what}.`, { cause: last });
}
