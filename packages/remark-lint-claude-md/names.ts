import { distance } from "fastest-levenshtein";

/** One form for names that look equal: NFC, without U+FE0F, without outer space. */
export function canonical(text: string): string {
  // The same headings and labels stand in every document.
  let form = text.length <= 40 ? forms.get(text) : undefined;
  if (form === undefined) {
    form = text.normalize("NFC").replaceAll("\u{FE0F}", "").trim();
    if (text.length <= 40 && forms.size < 10_000) forms.set(text, form);
  }
  return form;
}

const forms = new Map<string, string>();

/**
 * The candidate nearest to `name` by edit distance, if any is near enough to be what was meant
 * (at most a third of the characters differ).
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const current = distance(name, candidate);
    if (current < bestDistance) {
      best = candidate;
      bestDistance = current;
    }
  }
  return best;
}

/** ` (did you mean \`x\`?)`, or nothing. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const found = nearest(name, candidates);
  return found === undefined ? "" : ` (did you mean \`${found}\`?)`;
}
