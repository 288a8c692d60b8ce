/** A form's field as trimmed text; empty when it is missing, sent twice or a file. */
export function textOf(body: Record<string, unknown>, name: string): string {
  const value = body[name];
  return typeof value === "string" ? value.trim() : "";
}
