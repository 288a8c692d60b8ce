/** A value of a template or a log entry as text: scalars as they are, nothing as "", anything else as JSON. */
export function text(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return `${value}`;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}
