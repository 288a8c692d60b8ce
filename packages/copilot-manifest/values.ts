/** The value at a path of plain values; undefined where it is null or not there. */
export function valueAt(manifest: unknown, ...path: string[]): unknown {
  let current = manifest;
  for (const step of path)
    current =
      typeof current === "object" && current !== null
        ? (current as Record<string, unknown>)[step]
        : undefined;
  return current ?? undefined;
}

/** As Copilot reads a boolean. */
export function isOn(value: unknown): boolean {
  return value === true || (typeof value === "string" && /^(?:y|yes|on|true)$/i.test(value));
}
