/**
 * At most `size` at once; the others wait their turn, first come, first served. Whatever uses the pool goes through here:
 * with as many slots as connections nobody waits for a connection, so a pool time-out really means a database problem.
 */
export class Slots {
  readonly #size: number;
  readonly #queue: { places: number; begin: () => void }[] = [];
  taken = 0;
  #movedAt = performance.now();

  constructor(size: number) {
    this.#size = size;
  }

  /** How long all places have been taken by the same ones. */
  stuckMs(): number {
    return this.taken < this.#size ? 0 : performance.now() - this.#movedAt;
  }

  async run<T>(work: () => Promise<T>, { alone = false } = {}): Promise<T> {
    const places = alone ? this.#size : 1;
    const turn = new Promise<void>((begin) => this.#queue.push({ places, begin }));
    this.#next();
    await turn;
    try {
      return await work();
    } finally {
      this.taken -= places;
      this.#movedAt = performance.now();
      this.#next();
    }
  }

  #next(): void {
    // Only from the head: one that needs all places would otherwise never get them.
    for (let head = this.#queue[0]; head && this.taken + head.places <= this.#size; head = this.#queue[0]) {
      this.#queue.shift();
      this.#movedAt = performance.now();
      this.taken += head.places;
      head.begin();
    }
  }
}
