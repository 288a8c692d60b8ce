import { openProducts } from "./open-products.ts";

/** What this worker does, event by event; its subscription's filter in copilot/worker-item/manifest.yml names exactly these. */
export const handlers = [openProducts];
