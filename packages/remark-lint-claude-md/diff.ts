/** The lines that differ, with their numbers, as a unified diff without context. */
export function diff(path: string, before: string, after: string): string {
  const a = before.split("\n");
  const b = after.split("\n");
  const hunks: string[] = [];
  for (const [from, to, start, end] of changes(a, b)) {
    hunks.push(`@@ -${from + 1},${to - from} +${start + 1},${end - start} @@`);
    hunks.push(
      ...a.slice(from, to).map((line) => `-${line}`),
      ...b.slice(start, end).map((line) => `+${line}`),
    );
  }
  return [`--- ${path}`, `+++ ${path}`, ...hunks].map((line) => `${line}\n`).join("");
}

/** Ranges of lines that differ: longest common subsequence between the common ends. */
function changes(a: string[], b: string[]): [number, number, number, number][] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const left = a.slice(head, a.length - tail);
  const right = b.slice(head, b.length - tail);
  if (left.length * right.length > 4_000_000) return [[head, a.length - tail, head, b.length - tail]];
  const lengths = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--) {
      const row = lengths[i] as Uint32Array;
      const next = lengths[i + 1] as Uint32Array;
      row[j] = left[i] === right[j] ? (next[j + 1] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0);
    }
  const result: [number, number, number, number][] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      i++;
      j++;
      continue;
    }
    const [from, start] = [i, j];
    while (
      (i < left.length || j < right.length) &&
      !(i < left.length && j < right.length && left[i] === right[j])
    ) {
      const down = lengths[i + 1]?.[j] ?? -1;
      const across = lengths[i]?.[j + 1] ?? -1;
      if (i < left.length && (j >= right.length || down >= across)) i++;
      else j++;
    }
    result.push([head + from, head + i, head + start, head + j]);
  }
  return result;
}
