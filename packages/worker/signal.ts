/** Lets one loop sleep until something happens or a time is over; what happens before it sleeps is not lost. */
export class Signal {
  #fired = false;
  #wake: (() => void) | undefined;

  fire(): void {
    this.#fired = true;
    this.#wake?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#fired) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, Math.max(0, ms));
      });
      clearTimeout(timer);
      this.#wake = undefined;
    }
    this.#fired = false;
  }
}

/** Exponential back-off with full jitter in its upper half: `firstMs` doubled per try, at most `mostMs`. */
export function backOff(tries: number, firstMs: number, mostMs: number): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(tries, 20));
  return full / 2 + (Math.random() * full) / 2;
}
