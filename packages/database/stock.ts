import { newId, productShortageFound, productStockChanged, type Envelope } from "@noren/events";
import { sql } from "kysely";
import { emit } from "./emit.ts";
import type { Schema } from "./schema.ts";
import type { Tx } from "./tenant.ts";

export type StockMove = {
  /** Only demo data choose their own, to be the same on every machine. */
  id?: string;
  productId: string;
  /** Signed: what comes in is positive. */
  qty: number;
  kind: Schema["stock_moves"]["kind"];
  /** The document's line. Together with `kind` it names the move: a second write of the same move does nothing. */
  sourceType: string;
  sourceId: string;
  lineNo: number;
  unitCostYen?: number;
  occurredAt: Date;
};

export type ReservationOwner = { type: "sale" | "order"; id: string };

export type StockWrite = {
  /** The document that makes the change; goes into the events. */
  cause: { type: string; id: string };
  /** The event being handled, if any. */
  causation?: Envelope;
  moves?: StockMove[];
  /** Ends every held reservation of the owner as consumed: the goods have left, `moves` say so. */
  consume?: ReservationOwner;
  /** Ends every held reservation of the owner as released: the goods are for sale again. */
  release?: ReservationOwner;
  reserve?: {
    owner: ReservationOwner;
    lines: { productId: string; lineNo: number; qty: number }[];
    expiresAt?: Date;
    /** true (orders): all lines or none, and only down to each product's safety stock. false (till): always. */
    ifAvailable: boolean;
  };
};

export type StockLevel = {
  productId: string;
  storeId: string;
  onHand: number;
  reserved: number;
  available: number;
  seq: number;
};

export type StockResult =
  | { ok: true; levels: StockLevel[] }
  /** Only with `ifAvailable`: nothing was written. */
  | { ok: false; missing: { productId: string; missingQty: number }[] };

/**
 * The one function that changes stock: levels, moves and reservations together, in one order of locks.
 *
 * Locks the products' levels by id, writes what is new (a repeat of a move or of a held reservation is skipped), raises
 * `seq` of each changed level, and emits `product.stock_changed` where available changed and `product.shortage_found`
 * where it fell below 0. The caller holds the lock on the owner or document itself (sale, order, receipt).
 *
 * Throws when a product does not exist in this company.
 */
export async function writeStock(
  tx: Tx,
  companyId: string,
  { cause, causation, moves = [], consume, release, reserve }: StockWrite,
): Promise<StockResult> {
  const [consumed, released, already] = [
    await held(tx, consume),
    await held(tx, release),
    await held(tx, reserve?.owner),
  ];
  const keys = new Set(already.map(({ productId, lineNo }) => `${productId} ${lineNo}`));
  const ending = [...consumed, ...released];
  const wanted = (reserve?.lines ?? []).filter(
    ({ productId, lineNo }) =>
      !keys.has(`${productId} ${lineNo}`) ||
      ending.some((r) => r.productId === productId && r.lineNo === lineNo),
  );
  const productIds = [...new Set([...ending, ...moves, ...wanted].map(({ productId }) => productId))].sort();
  if (productIds.length === 0) return { ok: true, levels: [] };

  const before = await lock(tx, productIds);
  if (reserve?.ifAvailable) {
    const missing = shortages(before, { ending, moves, wanted });
    if (missing.length > 0) return { ok: false, missing };
  }

  const changes = new Map(productIds.map((id) => [id, { onHand: 0, reserved: 0 }]));
  const change = (productId: string) => changes.get(productId) as { onHand: number; reserved: number };
  const ended = [...(await end(tx, consumed, "consumed")), ...(await end(tx, released, "released"))];
  for (const { product_id, qty } of ended) change(product_id).reserved -= qty;
  for (const { product_id, qty } of await insertMoves(tx, companyId, moves)) change(product_id).onHand += qty;
  if (reserve) {
    for (const { product_id, qty } of await insertReservations(tx, companyId, reserve, wanted)) {
      change(product_id).reserved += qty;
    }
  }

  const levels = await updateLevels(tx, before, changes);
  await emit(tx, ...levels.flatMap((level) => events(companyId, level, before, { cause, causation })));
  return { ok: true, levels };
}

type Held = { id: string; productId: string; lineNo: number; qty: number };
type Locked = StockLevel & { safetyQty: number };

async function held(tx: Tx, owner: ReservationOwner | undefined): Promise<Held[]> {
  if (!owner) return [];
  return tx
    .selectFrom("reservations")
    .select(["id", "product_id as productId", "line_no as lineNo", "qty"])
    .where("owner_type", "=", owner.type)
    .where("owner_id", "=", owner.id)
    .where("state", "=", "held")
    .execute();
}

/** In id order, so that two writers with the same products wait for each other instead of for ever. */
async function lock(tx: Tx, productIds: string[]): Promise<Map<string, Locked>> {
  const rows = await tx
    .selectFrom("stock_levels")
    .innerJoin("products", (join) =>
      join
        .onRef("products.company_id", "=", "stock_levels.company_id")
        .onRef("products.id", "=", "stock_levels.product_id"),
    )
    .select([
      "stock_levels.product_id as productId",
      "products.store_id as storeId",
      "products.safety_qty as safetyQty",
      "on_hand as onHand",
      "reserved",
      "available",
      "seq",
    ])
    .where("stock_levels.product_id", "in", productIds)
    .orderBy("stock_levels.product_id")
    .forUpdate("stock_levels")
    .execute();
  const levels = new Map(rows.map((row) => [row.productId, row]));
  const unknown = productIds.filter((id) => !levels.has(id));
  if (unknown.length > 0) throw new Error(`No such product in this company: ${unknown.join(", ")}.`);
  return levels;
}

function shortages(
  levels: Map<string, Locked>,
  plan: { ending: Held[]; moves: StockMove[]; wanted: { productId: string; qty: number }[] },
): { productId: string; missingQty: number }[] {
  const sum = (rows: { productId: string; qty: number }[], id: string) =>
    rows.reduce((total, row) => (row.productId === id ? total + row.qty : total), 0);
  return [...new Set(plan.wanted.map(({ productId }) => productId))].flatMap((productId) => {
    const { available, safetyQty } = levels.get(productId) as Locked;
    const free = available + sum(plan.ending, productId) + sum(plan.moves, productId) - safetyQty;
    // What is already short of the safety stock is not this order's to make up.
    const missingQty = sum(plan.wanted, productId) - Math.max(0, free);
    return missingQty > 0 ? [{ productId, missingQty }] : [];
  });
}

async function end(tx: Tx, reservations: Held[], state: "consumed" | "released") {
  if (reservations.length === 0) return [];
  return tx
    .updateTable("reservations")
    .set({ state, ended_at: sql`now()` })
    .where(
      "id",
      "in",
      reservations.map(({ id }) => id),
    )
    .where("state", "=", "held")
    .returning(["product_id", "qty"])
    .execute();
}

async function insertMoves(tx: Tx, companyId: string, moves: StockMove[]) {
  if (moves.length === 0) return [];
  return tx
    .insertInto("stock_moves")
    .values(
      moves.map((move) => ({
        company_id: companyId,
        id: move.id ?? newId(),
        product_id: move.productId,
        qty: move.qty,
        kind: move.kind,
        source_type: move.sourceType,
        source_id: move.sourceId,
        line_no: move.lineNo,
        unit_cost_yen: move.unitCostYen,
        occurred_at: move.occurredAt,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(["company_id", "source_type", "source_id", "line_no", "kind"]).doNothing(),
    )
    .returning(["product_id", "qty"])
    .execute();
}

async function insertReservations(
  tx: Tx,
  companyId: string,
  { owner, expiresAt }: { owner: ReservationOwner; expiresAt?: Date },
  lines: { productId: string; lineNo: number; qty: number }[],
) {
  if (lines.length === 0) return [];
  return tx
    .insertInto("reservations")
    .values(
      lines.map(({ productId, lineNo, qty }) => ({
        company_id: companyId,
        id: newId(),
        product_id: productId,
        owner_type: owner.type,
        owner_id: owner.id,
        line_no: lineNo,
        qty,
        expires_at: expiresAt,
      })),
    )
    .returning(["product_id", "qty"])
    .execute();
}

async function updateLevels(
  tx: Tx,
  before: Map<string, Locked>,
  changes: Map<string, { onHand: number; reserved: number }>,
): Promise<StockLevel[]> {
  const changed = [...changes].filter(([, { onHand, reserved }]) => onHand !== 0 || reserved !== 0);
  if (changed.length === 0) return [];
  const { rows } = await sql<Omit<StockLevel, "storeId">>`
    update stock_levels l
    set on_hand = l.on_hand + c.on_hand, reserved = l.reserved + c.reserved, seq = l.seq + 1
    from unnest(
      ${changed.map(([id]) => id)}::uuid[],
      ${changed.map(([, { onHand }]) => onHand)}::int[],
      ${changed.map(([, { reserved }]) => reserved)}::int[]
    ) as c (product_id, on_hand, reserved)
    where l.product_id = c.product_id
    returning l.product_id as "productId", l.on_hand as "onHand", l.reserved, l.available, l.seq`.execute(tx);
  return rows
    .map((row) => ({ ...row, storeId: (before.get(row.productId) as Locked).storeId }))
    .sort((a, b) => (a.productId < b.productId ? -1 : 1));
}

function events(
  companyId: string,
  { productId, storeId, onHand, reserved, available, seq }: StockLevel,
  before: Map<string, Locked>,
  { cause, causation }: Pick<StockWrite, "cause" | "causation">,
): Envelope[] {
  const was = (before.get(productId) as Locked).available;
  if (available === was) return [];
  const common = { companyId, storeId, aggregateId: productId, seq, causation };
  const changed = productStockChanged.create({
    ...common,
    data: { productId, onHand, reserved, available, seq, cause },
  });
  if (available >= 0 || available > was) return [changed];
  return [
    changed,
    productShortageFound.create({ ...common, data: { productId, missingQty: -available, cause } }),
  ];
}
