import type { Tx } from "@noren/database";
import { orderExpired } from "@noren/events";
import { type Context, on } from "worker";
import { type Sender, notify } from "./notify.ts";

/** Tells the buyer that an order has ended because its money did not come in time. */
export const sendExpiryMail = (sender: Sender) =>
  on(
    orderExpired,
    async (event, { tx }: Context<Tx>) => {
      const { orderId } = event.data;
      const order = await tx
        .selectFrom("orders")
        .select(["email", "channel"])
        .where("id", "=", orderId)
        .executeTakeFirst();
      // A mall writes to its own buyers.
      if (!order?.email || order.channel !== "ec") return;
      const dedupeKey = `order-expired/${orderId}`;
      await notify(tx, sender, event, {
        kind: "order-expired",
        recipient: order.email,
        params: { orderId },
        dedupeKey,
      });
    },
    { order: "none" },
  );
