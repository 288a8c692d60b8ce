const unit: Record<string, number> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};
const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;

/**
 * A Go duration (`1h30m`, `1500ms`, `-5s`) in seconds, not rounded; undefined when it is not one.
 * Days do not exist in Go, and a number needs its unit (only `0` does not).
 */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0;
  part.lastIndex = 0;
  let seconds = 0;
  let read = 0;
  for (let match = part.exec(body); match; match = part.exec(body)) {
    seconds += Number(match[1]) * (unit[match[2] ?? ""] ?? 0);
    read = part.lastIndex;
  }
  return read > 0 && read === body.length ? sign * seconds : undefined;
}

/** Whole seconds, as Copilot writes them: what is below a second is cut, not rounded. */
export function wholeSeconds(text: string | undefined): number | undefined {
  const seconds = text === undefined ? undefined : parseDuration(text);
  // 1.1 - 1 is 0.1000…09 in binary: cut at the nanosecond first, so that `1.1s` stays one second and `3s` three.
  return seconds === undefined ? undefined : Math.trunc(Number(seconds.toFixed(9)));
}
