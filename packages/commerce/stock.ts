import type { Yen } from "./money.ts";

type Line = { lineNo: number; productId?: string | null; qty: number };

/** A document that moves stock. Its lines' quantities are positive; the kind says in which direction they go. */
export type StockDocument =
  | { kind: "sale" | "void"; saleId: string; occurredAt: Date; lines: Line[] }
  /** Its own document, not the sale: of one line some may come back today and some tomorrow. */
  | { kind: "refund"; refundId: string; occurredAt: Date; lines: Line[] }
  | {
      kind: "receive" | "opening";
      receiptId: string;
      occurredAt: Date;
      lines: (Line & { unitCostYen: Yen })[];
    }
  | { kind: "buyback"; buybackId: string; occurredAt: Date; lines: (Line & { unitCostYen: Yen })[] }
  | { kind: "ship" | "return"; shipmentId: string; occurredAt: Date; lines: Line[] };

/** One row of the stock ledger. Source, line and kind name it, so writing it twice is writing it once. */
export type Move = {
  productId: string;
  qty: number;
  kind: StockDocument["kind"];
  sourceType: "sale" | "refund" | "receiving" | "buyback" | "shipment";
  sourceId: string;
  lineNo: number;
  unitCostYen?: Yen;
  occurredAt: Date;
};

/** What a document does to the stock ledger. Lines without a product (a free line at the till) move nothing. */
export function post(document: StockDocument): Move[] {
  const source = sourceOf(document);
  const sign = document.kind === "sale" || document.kind === "ship" ? -1 : 1;
  return document.lines.flatMap((line) => {
    const { productId, qty, lineNo } = line;
    if (!productId) return [];
    return [
      {
        productId,
        qty: sign * qty,
        kind: document.kind,
        ...source,
        lineNo,
        ...("unitCostYen" in line ? { unitCostYen: line.unitCostYen } : {}),
        occurredAt: document.occurredAt,
      },
    ];
  });
}

function sourceOf(document: StockDocument): Pick<Move, "sourceType" | "sourceId"> {
  if ("saleId" in document) return { sourceType: "sale", sourceId: document.saleId };
  if ("refundId" in document) return { sourceType: "refund", sourceId: document.refundId };
  if ("receiptId" in document) return { sourceType: "receiving", sourceId: document.receiptId };
  if ("buybackId" in document) return { sourceType: "buyback", sourceId: document.buybackId };
  return { sourceType: "shipment", sourceId: document.shipmentId };
}
