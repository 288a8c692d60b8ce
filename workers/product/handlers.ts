import { receiveStock } from "./receive-stock.ts";
import { stockBuyback } from "./stock-buyback.ts";

/** What this worker does, event by event; its subscription's filter in copilot/worker-product/manifest.yml names exactly these. */
export const handlers = [receiveStock, stockBuyback];
