import type { SESReceipt } from "aws-lambda";

/**
 * Why SES's own checks do not vouch for a mail, or null when they do. Only PASS counts: GRAY and PROCESSING_FAILED mean that
 * SES does not know. DMARC is what ties the visible From to its domain; SPF and DKIM alone do not.
 */
export function distrust(
  receipt: Pick<SESReceipt, "spamVerdict" | "virusVerdict" | "dmarcVerdict">,
): string | null {
  const verdicts = {
    spam: receipt.spamVerdict.status,
    virus: receipt.virusVerdict.status,
    dmarc: receipt.dmarcVerdict.status,
  };
  const bad = Object.entries(verdicts).filter(([, status]) => status !== "PASS");
  return bad.length === 0 ? null : bad.map(([check, status]) => `${check} ${status}`).join(", ");
}
