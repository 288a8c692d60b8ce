import { cancelOrder } from "./cancel-order.ts";
import { expireOrder } from "./expire-order.ts";
import { reserveMallOrder } from "./reserve-mall-order.ts";

/** What this worker does, event by event; its subscription's filter in copilot/worker-ec-order/manifest.yml names exactly these. */
export const handlers = [expireOrder, cancelOrder, reserveMallOrder];
