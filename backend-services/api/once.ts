import { createHash } from "node:crypto";
import type { Route } from "@noren/api-contract";
import type { Tx } from "@noren/database";
import { sql } from "kysely";
import { z } from "zod";
import type { CompanyCaller } from "./operation.ts";
import { Refusal } from "./refusal.ts";

const uuid = z.uuid();

/**
 * The key of a write: the `Idempotency-Key` header, or the body's field that the route names, which a header may repeat
 * but not contradict. Refuses a request without one: its retry could not be told from a second wish.
 */
export function idempotencyKey(request: Request, route: Route, body: unknown): string {
  const header = request.headers.get("idempotency-key");
  if (header !== null && !uuid.safeParse(header).success)
    throw new Refusal(400, "invalid_request", "Idempotency-Key は UUID で送ってください。");
  if (route.once !== "header") {
    const own = String((body as Record<string, unknown>)[route.once ?? ""]);
    if (header !== null && header !== own)
      throw new Refusal(422, "key_reused", "Idempotency-Key が本文の ID と違います。");
    return own;
  }
  if (header === null) throw new Refusal(400, "key_missing", "Idempotency-Key を付けて送ってください。");
  return header;
}

type Write = {
  route: string;
  key: string;
  body: unknown;
  caller: CompanyCaller;
  /** The write knows its own repeat by its document's id: it answers again, and what it answers is not kept here. */
  anchored: boolean;
};

/**
 * Runs a write once for its key, in the transaction that holds the key's row too: either both are there or neither.
 * The same key with the same body gets the same answer; with another body, or for another caller or route, 422
 * (`key_reused`); while the first is still running, 409 (`in_flight`).
 */
export async function once<T>(tx: Tx, write: Write, run: () => Promise<T>): Promise<T> {
  const { key, caller, anchored } = write;
  const lock = await sql<{ mine: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${`${caller.companyId}/${key}`}, 0)) as mine`.execute(
    tx,
  );
  if (!lock.rows[0]?.mine)
    throw new Refusal(409, "in_flight", "同じ操作を処理しています。少しお待ちください。");

  const request_hash = hash(write);
  const before = await tx
    .selectFrom("api_requests")
    .select(["request_hash", "response"])
    .where("key", "=", key)
    .executeTakeFirst();
  if (before?.request_hash === request_hash) return anchored ? run() : (before.response as T);
  if (before)
    throw new Refusal(422, "key_reused", "同じ番号で別の内容が送られました。画面を開き直してください。");

  const response = await run();
  await tx
    .insertInto("api_requests")
    .values({
      company_id: caller.companyId,
      key,
      route: write.route,
      request_hash,
      status: 200,
      response: JSON.stringify(anchored ? null : response),
    })
    .execute();
  return response;
}

/** The store and the app are part of it: another till that guesses a key must not read this one's answer. */
function hash({ route, body, caller }: Write): string {
  const { app, storeId } = caller;
  // Zod builds the body in the order of its schema, so equal bodies are equal text.
  return createHash("sha256")
    .update(JSON.stringify([route, app, storeId, body]))
    .digest("hex");
}
