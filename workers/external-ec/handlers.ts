import { importOrder } from "./import-order.ts";
import type { Mall } from "./mall.ts";

/** What this worker does, event by event; its subscription's filter in copilot/worker-external-ec/manifest.yml names exactly these. */
export const handlers = (mall: Mall) => [importOrder(mall)];
