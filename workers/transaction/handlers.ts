import { postSale } from "./post-sale.ts";
import { restockRefund } from "./restock-refund.ts";

/** What this worker does, event by event; its subscription's filter in copilot/worker-transaction/manifest.yml names exactly these. */
export const handlers = [postSale, restockRefund];
