/** The time of a stub: the machine's, plus what a test has put before it. */
export class Clock {
  #aheadMs = 0;
  readonly #listeners = new Set<() => void>();

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Jumps forward; whoever waits for a time looks again. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new Error(`The clock only goes forward: advance it by 0 ms or more, not by ${ms}.`);
    this.#aheadMs += ms;
    for (const listener of this.#listeners) listener();
  }

  onAdvance(listener: () => void): void {
    this.#listeners.add(listener);
  }
}
