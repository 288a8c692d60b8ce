import { backOff } from "./signal.ts";

type Wait = { until: number; tries: number; together: boolean; reason: string };

const FORGET_MS = 60_000;

/** What has failed and waits for its next try, by name (a group, a topic), with growing pauses. */
export class Waits {
  readonly #waits = new Map<string, Wait>();
  readonly #firstMs: number;
  readonly #mostMs: number;

  constructor(firstMs: number, mostMs: number) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
  }

  /** `together`: the whole call failed, so it need not be this one's fault. */
  failed(name: string, reason: string, together = false): void {
    // Lanes that fail at the same moment are one failure.
    if (this.isWaiting(name)) return;
    const tries = this.#waits.get(name)?.tries ?? 0;
    const until = performance.now() + backOff(tries, this.#firstMs, this.#mostMs);
    this.#waits.set(name, { until, tries: tries + 1, together, reason });
  }

  succeeded(name: string): void {
    this.#waits.delete(name);
  }

  isWaiting(name: string): boolean {
    return (this.#waits.get(name)?.until ?? 0) > performance.now();
  }

  /** Those that may not be tried yet. */
  waiting(): string[] {
    const now = performance.now();
    // Whose row was deleted by hand, or went to another relay, never succeeds: forget what nobody has tried for long.
    for (const [name, { until }] of this.#waits) if (until < now - FORGET_MS) this.#waits.delete(name);
    return [...this.#waits.keys()].filter((name) => this.isWaiting(name));
  }

  failedTogether(name: string): boolean {
    return this.#waits.get(name)?.together ?? false;
  }

  /** When the next one may be tried, in ms from now; Infinity if none waits. */
  nextMs(): number {
    const now = performance.now();
    let next = Infinity;
    for (const { until } of this.#waits.values()) if (until > now) next = Math.min(next, until - now);
    return next;
  }

  /** The other side is back: whoever failed only with a whole call need not wait any longer. */
  forgive(): void {
    for (const [name, wait] of this.#waits) if (wait.together) this.#waits.delete(name);
  }

  /** Why one of them waits. */
  get reason(): string | undefined {
    for (const { reason } of this.#waits.values()) return reason;
    return undefined;
  }

  get size(): number {
    return this.#waits.size;
  }
}
