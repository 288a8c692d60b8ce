import type { Session } from "./session.ts";

/** Somebody whose old snapshot keeps deleted rows of the outbox in the way of every fetch. */
export type OldSnapshot = {
  /** Ends it: `select pg_terminate_backend(pid)`. A replica's report appears as the pid of its wal sender here. */
  pid: number;
  /** Since this relay first saw it. */
  heldMs: number;
};

/** Shorter ones do no harm worth telling. */
const OLD_MS = 5000;

/** Watches who has held the oldest snapshot, and for how long: what a role without privileges may see does not say since when. */
export class Snapshots {
  #oldest: { pid: number; xmin: string; since: number } | undefined;

  /** The oldest one, once it has been held for long. */
  async look(session: Session): Promise<OldSnapshot | null> {
    // Only sessions of this database, and wal senders (which belong to none), hold its vacuum back.
    const { rows } = await session.query<{ pid: number; xmin: string }>(`
      select pid, backend_xmin::text as xmin from pg_stat_activity
      where backend_xmin is not null and pid <> pg_backend_pid()
        and (datid is null or datid = (select oid from pg_database where datname = current_database()))
      order by age(backend_xmin) desc limit 1`);
    const [now] = rows;
    const before = this.#oldest;
    if (!now) this.#oldest = undefined;
    else if (before?.pid !== now.pid || before.xmin !== now.xmin) {
      this.#oldest = { ...now, since: performance.now() };
    }
    const heldMs = this.#oldest ? Math.round(performance.now() - this.#oldest.since) : 0;
    return this.#oldest && heldMs >= OLD_MS ? { pid: this.#oldest.pid, heldMs } : null;
  }
}
