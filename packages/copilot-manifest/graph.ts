/** Whether `to` can be reached from `from` in one step or more; `from === to` asks for a cycle. */
export function reaches(
  graph: Map<string, string[]>,
  from: string,
  to: string,
  seen: Set<string> = new Set<string>(),
): boolean {
  return (graph.get(from) ?? []).some((next) => {
    if (next === to) return true;
    if (seen.has(next)) return false;
    seen.add(next);
    return reaches(graph, next, to, seen);
  });
}

/** One cycle through this name, as `a → b → a`; undefined when there is none. */
export function cycleThrough(graph: Map<string, string[]>, start: string): string | undefined {
  const seen = new Set<string>();
  const walk = (from: string, path: string[]): string[] | undefined => {
    for (const next of graph.get(from) ?? []) {
      if (next === start) return [...path, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = walk(next, [...path, next]);
      if (found) return found;
    }
    return undefined;
  };
  return walk(start, [start])?.join(" → ");
}
