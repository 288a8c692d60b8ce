/** Numbers that look random and are the same for the same seed (mulberry32). */
export function random(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  return {
    /** A whole number from 0 up to, without, n. */
    below,
    chance: (probability: number): boolean => next() < probability,
    /** A pause whose mean is `mean`, as between independent customers. */
    exponential: (mean: number): number => -Math.log(1 - next()) * mean,
    pick: <T>(from: readonly T[]): T => {
      const picked = from[below(from.length)];
      if (picked === undefined) throw new Error("There is nothing to pick from.");
      return picked;
    },
    /** Makes one of them: how often each is made, is its weight. */
    weighted: <T>(choices: readonly (readonly [weight: number, make: () => T])[]): T => {
      let at = below(choices.reduce((sum, [weight]) => sum + weight, 0));
      for (const [weight, make] of choices) {
        if (at < weight) return make();
        at -= weight;
      }
      throw new Error("There is nothing to choose from.");
    },
  };
}
