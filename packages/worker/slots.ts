/**
 * At most `size` at once; the others wait their turn, first come, first served. Whatever uses the pool goes through here:
 * with as many slots as connections nobody waits for a connection, so a pool time-out really means a database problem.
 */
export class Slots {
  readonly #size: number;
  readonly #queue: (() => void)[] = [];
  taken = 0;

  constructor(size: number) {
    this.#size = size;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#take();
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  async #take(): Promise<void> {
    if (this.taken < this.#size) {
      this.taken += 1;
      return;
    }
    // #give() hands its place over, so `taken` stays as it is.
    await new Promise<void>((resolve) => this.#queue.push(resolve));
  }

  #give(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.taken -= 1;
  }
}
