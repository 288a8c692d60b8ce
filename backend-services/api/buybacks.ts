import type { BuybackDocument } from "@noren/api-contract";
import { type BuybackCommand, type BuybackState, buybackAfter, identityDuty } from "@noren/commerce";
import type { Tx } from "@noren/database";
import { operation } from "./operation.ts";
import { Refusal, notFound } from "./refusal.ts";

const missing = () => notFound("この買取は見つかりませんでした。この店舗の買取か確かめてください。");

export const readBuyback = operation("readBuyback", async ({ tx, caller, params }) =>
  shownBuyback(tx, caller.storeId, params.id),
);

/** A buy-back of this store as the contract shows it; refuses when this store has none of that id. */
export async function shownBuyback(tx: Tx, storeId: string, buybackId: string): Promise<BuybackDocument> {
  const buyback = await tx
    .selectFrom("buybacks")
    .selectAll()
    .where("id", "=", buybackId)
    .where("store_id", "=", storeId)
    .executeTakeFirst();
  if (!buyback) throw missing();
  const lines = await buybackLines(tx, buybackId);
  const { duty, why } = identityDuty(lines.filter(({ accepted }) => accepted !== false));
  return {
    buybackId,
    state: buyback.state,
    appraisedAt: buyback.appraised_at.toISOString(),
    lines: lines.map(({ lineNo, itemId, name, condition, features, qty, unitPriceYen, accepted }) => ({
      lineNo,
      itemId,
      name,
      condition,
      features,
      qty,
      unitPriceYen,
      amountYen: qty * unitPriceYen,
      accepted,
    })),
    totalYen: buyback.total_yen,
    identity: { duty, why, recorded: buyback.identity_id !== null },
    paidAt: buyback.paid_at?.toISOString() ?? null,
    declineReason: buyback.decline_reason,
  };
}

/** Its lines in their order, those that the seller did not agree to included. */
export function buybackLines(tx: Tx, buybackId: string) {
  return tx
    .selectFrom("buyback_lines")
    .select([
      "line_no as lineNo",
      "item_id as itemId",
      "name",
      "condition",
      "features",
      "category",
      "identity_always as identityAlways",
      "qty",
      "unit_price_yen as unitPriceYen",
      "accepted",
    ])
    .where("buyback_id", "=", buybackId)
    .orderBy("line_no")
    .execute();
}

/** Locks a buy-back of this store until the commit, so that what is done to it is done one after the other. */
export async function lockBuyback(tx: Tx, storeId: string, buybackId: string) {
  const buyback = await tx
    .selectFrom("buybacks")
    .select(["state", "identity_id as identityId", "payout_id as payoutId"])
    .where("id", "=", buybackId)
    .where("store_id", "=", storeId)
    .forUpdate()
    .executeTakeFirst();
  if (!buyback) throw missing();
  return buyback;
}

/** The state after a command; refuses where the buy-back has gone on, or not far enough. */
export function stateAfter(state: BuybackState, command: BuybackCommand): BuybackState {
  const next = buybackAfter(state, command);
  if (typeof next !== "string") throw new Refusal(409, next.refused, next.message);
  return next;
}
