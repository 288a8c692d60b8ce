import type { Tx } from "@noren/database";
import { scheduleCameDue } from "@noren/events";
import { type Context, on } from "worker";
import { type Sender, deliver } from "./notify.ts";

/** Tries a mail again that its provider had refused, at the time that worker-scheduled planned. */
export const retryMail = (sender: Sender) =>
  on(
    scheduleCameDue,
    async (event, { tx }: Context<Tx>) => {
      const { kind, subjectId } = event.data;
      // Every kind of due row has the same name; the others are for other workers.
      if (kind === "notification.retry") await deliver(tx, sender, event, subjectId);
    },
    { order: "none" },
  );
