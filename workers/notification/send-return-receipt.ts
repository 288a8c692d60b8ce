import type { Tx } from "@noren/database";
import { saleRefunded } from "@noren/events";
import { type Context, on } from "worker";
import { type Sender, notify } from "./notify.ts";

/** Mails the return receipt of a refund to the address that the customer left with the sale, if any. */
export const sendReturnReceipt = (sender: Sender) =>
  on(
    saleRefunded,
    async (event, { tx }: Context<Tx>) => {
      const { saleId, refundId } = event.data;
      const sale = await tx.selectFrom("sales").select("email").where("id", "=", saleId).executeTakeFirst();
      if (!sale?.email) return;
      const params = { refundId };
      await notify(tx, sender, event, {
        kind: "return-receipt",
        recipient: sale.email,
        params,
        dedupeKey: `return-receipt/${refundId}`,
      });
    },
    { order: "none" },
  );
