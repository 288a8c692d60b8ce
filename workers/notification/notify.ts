import { createHash } from "node:crypto";
import { type Tx, emit } from "@noren/database";
import { type Envelope, newId, notificationFailed, notificationSent } from "@noren/events";
import { sql } from "kysely";
import { MailRefused, type Mailer } from "./mailer.ts";
import { type MailKind, mails } from "./mails.ts";

/** What sending needs: the way out, and where the links lead. */
export type Sender = { mailer: Mailer; storefrontUrl: string };

export type Wish = {
  kind: MailKind;
  recipient: string;
  /** Whom or what the mail is about, by id: the words are written when it is sent. Kept, so no secret belongs here. */
  params: Record<string, string>;
  /** Two wishes with one key are one mail. */
  dedupeKey: string;
};

/**
 * Sends a mail once for its key. The row that remembers it, the record of the sending and the event about it are one
 * transaction: a crash between SES and the commit may send a second mail, but never records two.
 */
export async function notify(
  tx: Tx,
  sender: Sender,
  causation: Envelope,
  wish: Wish,
  transient: { token?: string } = {},
) {
  const added = await tx
    .insertInto("notifications")
    .values({
      company_id: causation.companyId,
      id: newId(),
      kind: wish.kind,
      recipient: wish.recipient,
      params: JSON.stringify(wish.params),
      dedupe_key: wish.dedupeKey,
    })
    .onConflict((conflict) => conflict.columns(["company_id", "dedupe_key"]).doNothing())
    .returning("id")
    .executeTakeFirst();
  if (added) await deliver(tx, sender, causation, added.id, transient);
}

/** Sends what a row wishes, unless it has been sent. A refusal by the provider is recorded and told, not thrown. */
export async function deliver(
  tx: Tx,
  sender: Sender,
  causation: Envelope,
  notificationId: string,
  transient: { token?: string } = {},
): Promise<void> {
  const row = await tx
    .selectFrom("notifications")
    .select(["id", "kind", "channel", "recipient", "params", "state"])
    .where("id", "=", notificationId)
    .forUpdate()
    .executeTakeFirst();
  if (!row || row.state === "sent") return;
  const { companyId } = causation;
  // A group must not show an address: group ids reach logs and metrics.
  const aggregateId = createHash("sha256").update(row.recipient).digest("hex");
  const told = { notificationId, kind: row.kind, channel: row.channel };
  const words = await mails[row.kind as MailKind](tx, row.params as Record<string, string>, {
    storefrontUrl: sender.storefrontUrl,
    ...transient,
  });
  try {
    const provider_ref = await sender.mailer.send({ to: row.recipient, ...words });
    await tx
      .updateTable("notifications")
      .set({
        state: "sent",
        sent_at: sql<Date>`now()`,
        attempts: sql`attempts + 1`,
        provider_ref,
        error: null,
      })
      .where("id", "=", notificationId)
      .execute();
    await emit(tx, notificationSent.create({ companyId, aggregateId, causation, data: told }));
  } catch (error) {
    if (!(error instanceof MailRefused)) throw error;
    await tx
      .updateTable("notifications")
      .set({ state: "failed", attempts: sql`attempts + 1`, error: error.code })
      .where("id", "=", notificationId)
      .execute();
    const data = { ...told, code: error.code };
    await emit(tx, notificationFailed.create({ companyId, aggregateId, causation, data }));
  }
}
