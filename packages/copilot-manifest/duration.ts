/** A Go duration (`1h30m`, `1500ms`) in seconds, not rounded; undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  throw new Error(`not yet: ${text}`);
}
