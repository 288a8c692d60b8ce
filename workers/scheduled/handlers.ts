import { planRetry } from "./plan-retry.ts";

/** What this worker does, event by event; its subscription's filter in copilot/worker-scheduled/manifest.yml names exactly these. */
export const handlers = [planRetry];
