/**
 * The basket of the sale page: what was scanned, in order, and how far its payment is. Pure functions, so that the
 * same file runs in the browser and in the tests.
 */

/** What the till knows of a product; the price shown is the server's, and the server charges its own again. */
export type Product = {
  productId: string;
  code: string;
  name: string;
  condition: { code: string; name: string };
  priceYen: number;
  ratePct: number;
  available: number;
};
export type Line = Product & { qty: number };
export type Tender = { tenderedYen: number; email: string };

/**
 * `saleId` is made with the basket and stays until the sale is settled: it is the key under which the server records
 * the sale once, however often it is sent. `pending` is set before the first sending and survives a reload.
 */
export type Basket = { saleId: string; lines: Line[]; selected: number; pending: Tender | null };

export const maxQty = 999;
export const maxLines = 200;
/** More than this was typed by a scanner into the wrong field. */
export const maxTenderYen = 9_999_999;

export function empty(saleId: string): Basket {
  return { saleId, lines: [], selected: 0, pending: null };
}

/** One more of a product: the line it already has gets one more, otherwise a new line comes last. */
export function add(basket: Basket, product: Product): Basket {
  const at = basket.lines.findIndex((line) => line.productId === product.productId);
  if (at >= 0) return setQty(basket, at, basket.lines[at]!.qty + 1);
  if (basket.lines.length >= maxLines) return basket;
  return { ...basket, lines: [...basket.lines, { ...product, qty: 1 }], selected: basket.lines.length };
}

/** Sets a line's quantity and selects it; zero takes the line away. */
export function setQty(basket: Basket, at: number, qty: number): Basket {
  if (!basket.lines[at]) return basket;
  const lines =
    qty <= 0
      ? basket.lines.filter((_, index) => index !== at)
      : basket.lines.map((line, index) => (index === at ? { ...line, qty: Math.min(qty, maxQty) } : line));
  return { ...basket, lines, selected: Math.max(0, Math.min(at, lines.length - 1)) };
}

export function select(basket: Basket, at: number): Basket {
  return { ...basket, selected: Math.max(0, Math.min(at, basket.lines.length - 1)) };
}

export function total(basket: Basket): number {
  return basket.lines.reduce((sum, line) => sum + line.priceYen * line.qty, 0);
}

export function pieces(basket: Basket): number {
  return basket.lines.reduce((sum, line) => sum + line.qty, 0);
}

/** Amounts that customers are likely to hand over: exact first, then three that coins and notes round up to. */
export function quickAmounts(due: number): number[] {
  const rounded = [100, 500, 1_000, 5_000, 10_000].map((note) => Math.ceil(due / note) * note);
  // Nobody pays 180 yen with a ten-thousand note if a smaller one is at hand, and few pay 2,300 with 2,500.
  const likely = [...new Set(rounded)].filter((amount) => amount > due && amount <= due * 10);
  return [due, ...likely.sort((a, b) => a - b).slice(-3)];
}

export type Tendered = { ok: true; tenderedYen: number; changeYen: number } | { ok: false; why: string };

/** Reads the tendered field: empty means exact. */
export function tender(due: number, text: string): Tendered {
  const digits = text.normalize("NFKC").replaceAll(/[,¥円\s]/g, "");
  if (digits === "") return { ok: true, tenderedYen: due, changeYen: 0 };
  if (!/^\d+$/.test(digits)) return { ok: false, why: "お預かりは数字で入力してください。" };
  const tenderedYen = Number(digits);
  if (tenderedYen > maxTenderYen)
    return {
      ok: false,
      why: "お預かりの金額が大きすぎます。商品コードを読み取っていないか確かめてください。",
    };
  if (tenderedYen < due)
    return { ok: false, why: `お預かりが ${(due - tenderedYen).toLocaleString("ja-JP")}円 足りません。` };
  return { ok: true, tenderedYen, changeYen: tenderedYen - due };
}

export type Scan = { kind: "code"; code: string } | { kind: "second-row" } | { kind: "nothing" };

/** What came out of the scan field. Books carry two rows of bars; the lower one (191…, 192…) holds no product. */
export function scanOf(raw: string): Scan {
  const code = raw.normalize("NFKC").trim();
  if (code === "") return { kind: "nothing" };
  return /^19[12]\d{10}$/.test(code) ? { kind: "second-row" } : { kind: "code", code };
}

/** A UUIDv7 from a clock in ms and ten random bytes. */
export function uuidV7(now: number, random: Uint8Array): string {
  const bytes = new Uint8Array(16);
  for (let index = 0; index < 6; index++) bytes[index] = Math.floor(now / 2 ** (8 * (5 - index))) % 256;
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
