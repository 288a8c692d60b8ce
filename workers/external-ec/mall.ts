import { tracedFetch } from "@noren/service";
import { RetryAfter, Unprocessable } from "worker";
import { z } from "zod";

const yen = z.int().min(0);

/** An order as the mall's API tells it. `itemCode` is the code that our listing carries. */
const mallOrder = z.object({
  no: z.string(),
  status: z.enum(["placed", "cancelled"]),
  placedAt: z.iso.datetime({ offset: true }),
  buyer: z.object({ name: z.string(), email: z.string() }),
  shipTo: z.record(z.string(), z.unknown()),
  lines: z
    .array(z.object({ itemCode: z.string(), condition: z.string(), qty: z.int().min(1), unitYen: yen }))
    .min(1),
  paid: z.boolean(),
  totalYen: yen,
});
export type MallOrder = z.infer<typeof mallOrder>;

export type Mall = {
  /**
   * Fetches one order. Throws `RetryAfter` when the mall asks to slow down, `Unprocessable` when it knows no such order or
   * answers in a shape that we do not understand, and a plain error (tried again) for everything that may pass.
   */
  order(no: string, signal: AbortSignal): Promise<MallOrder>;
};

/** Less than PostgreSQL lets a transaction idle (10 s): the call is made inside the handler's transaction. */
const TIMEOUT_MS = 8_000;
/** When the mall says 429 and not how long. */
const DEFAULT_WAIT_SECONDS = 5;

/** The mall's HTTP API at `url`; the key goes into `X-Api-Key` and never into a log or an error. */
export function mall({ url, key }: { url: string; key: string }): Mall {
  return {
    async order(no, signal) {
      const address = new URL(`/api/orders/${encodeURIComponent(no)}`, url);
      const response = await tracedFetch(address, {
        headers: { "x-api-key": key, accept: "application/json" },
        // The list of hosts is MALL_API_URL alone: a redirect may not lead our key elsewhere.
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      if (!response.ok) throw await refusal(response, no);
      const parsed = mallOrder.safeParse(await response.json());
      if (!parsed.success)
        throw new Unprocessable(`The mall's order ${no} has another shape: ${z.prettifyError(parsed.error)}`);
      return parsed.data;
    },
  };
}

async function refusal(response: Response, no: string): Promise<Error> {
  // Read to the end, or the connection cannot be used again.
  await response.text();
  if (response.status === 429)
    return new RetryAfter(waitSeconds(response.headers.get("retry-after")), "The mall asked to slow down.");
  if (response.status === 404) return new Unprocessable(`The mall knows no order ${no}.`);
  if (response.status === 401 || response.status === 403)
    return new Error(
      `The mall refused our key (${response.status}). Renew it at the mall and put it into the secret MALL_API_KEY.`,
    );
  return new Error(`The mall answered ${response.status} for order ${no}.`);
}

/** Retry-After is a number of seconds or an HTTP date. */
function waitSeconds(header: string | null): number {
  if (!header) return DEFAULT_WAIT_SECONDS;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 1), 900) : DEFAULT_WAIT_SECONDS;
}
