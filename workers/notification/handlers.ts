import type { Sender } from "./notify.ts";
import { retryMail } from "./retry-mail.ts";
import { sendExpiryMail } from "./send-expiry-mail.ts";
import { sendOrderMail } from "./send-order-mail.ts";
import { sendReceipt } from "./send-receipt.ts";
import { sendReturnReceipt } from "./send-return-receipt.ts";

/** What this worker does, event by event; its subscription's filter in copilot/worker-notification/manifest.yml names exactly these. */
export const handlers = (sender: Sender) => [
  sendReceipt(sender),
  sendReturnReceipt(sender),
  sendOrderMail(sender),
  sendExpiryMail(sender),
  retryMail(sender),
];
