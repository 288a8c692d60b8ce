/** Whether a shorter story still goes wrong. */
export type Fails<Step> = (steps: Step[]) => Promise<boolean>;

/**
 * Looks for the shortest part of `steps` that still fails: halves, quarters and so on are left out as long as what
 * remains fails (ddmin). Ends early, with the best so far, once `enough` says so.
 */
export async function shorten<Step>(
  steps: Step[],
  fails: Fails<Step>,
  enough: () => boolean = () => false,
): Promise<Step[]> {
  let best = steps;
  let parts = 2;
  while (best.length > 1 && !enough()) {
    const size = Math.ceil(best.length / parts);
    let found = false;
    for (let from = 0; from < best.length && !enough(); from += size) {
      const without = best.toSpliced(from, size);
      if (without.length === 0 || !(await fails(without))) continue;
      best = without;
      parts = Math.max(2, parts - 1);
      found = true;
      break;
    }
    if (found) continue;
    if (size === 1) break;
    parts = Math.min(best.length, parts * 2);
  }
  return best;
}

/** The same steps without long pauses: what waited for nothing need not be waited for again. */
export function tighten<Step extends { at: number }>(steps: Step[], mostMs = 3000): Step[] {
  let saved = 0;
  let before = 0;
  return steps.map((step) => {
    saved += Math.max(0, step.at - before - mostMs);
    before = step.at;
    return { ...step, at: step.at - saved };
  });
}

/**
 * Parts of a story to try first, the smallest first: what happened around the first deed that went wrong. Trying costs a
 * workspace each, and most bugs are near.
 */
export function suspects<Step extends { n: number; at: number }>(
  steps: Step[],
  wrong: Set<number>,
  isFault: (step: Step) => boolean,
): Step[][] {
  const first = steps.find(({ n }) => wrong.has(n));
  if (!first) return [];
  const near = steps.filter(({ at }) => at > first.at - 10_000 && at < first.at + 10_000);
  const parts = [
    near.filter((step) => step === first || isFault(step)),
    near.filter((step) => wrong.has(step.n) || isFault(step)),
    near,
    steps.filter((step) => wrong.has(step.n) || isFault(step)),
  ];
  return parts.filter((part, n) => part.length < (parts[n + 1] ?? steps).length);
}
