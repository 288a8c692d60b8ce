import type { Tx } from "@noren/database";
import { orderPlaced } from "@noren/events";
import { type Context, on } from "worker";
import { type Sender, type Wish, notify } from "./notify.ts";

/** Confirms an order with the six items that the law names, and where to pay by when. */
export const sendOrderMail = (sender: Sender) =>
  on(
    orderPlaced,
    async (event, { tx }: Context<Tx>) => {
      const { orderId, email, token } = event.data;
      const wish: Wish = {
        kind: "order-placed",
        recipient: email,
        params: { orderId },
        dedupeKey: `order-placed/${orderId}`,
      };
      // The token opens the order's page. It is in this mail and nowhere else, so a later try has a link without it.
      await notify(tx, sender, event, wish, token ? { token } : {});
    },
    { order: "none" },
  );
