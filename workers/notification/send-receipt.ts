import type { Tx } from "@noren/database";
import { saleCompleted } from "@noren/events";
import { type Context, on } from "worker";
import { type Sender, notify } from "./notify.ts";

/** Mails the receipt of a sale whose customer left an address. */
export const sendReceipt = (sender: Sender) =>
  on(
    saleCompleted,
    async (event, { tx }: Context<Tx>) => {
      const { saleId, email } = event.data;
      if (!email) return;
      const params = { saleId };
      await notify(tx, sender, event, {
        kind: "receipt",
        recipient: email,
        params,
        dedupeKey: `receipt/${saleId}`,
      });
    },
    { order: "none" },
  );
