const HEADER = /Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16});Sampled=([01])/;

/** The W3C traceparent of an X-Ray header (`_X_AMZN_TRACE_ID`, set by Lambda for each call), or undefined without one. */
export function traceparent(xray: string | undefined): string | undefined {
  const found = HEADER.exec(xray ?? "");
  return found ? `00-${found[1]}${found[2]}-${found[3]}-0${found[4]}` : undefined;
}
