export { allocate, sellable, wanted } from "./allocate.ts";
export type { Allocation, Ask, Shipment, Shortage, StoreStock } from "./allocate.ts";
export {
  buybackAfter,
  buybackTotal,
  identityDocuments,
  identityDuty,
  keepIdentityUntil,
  mayKeepNumber,
  mayPay,
} from "./buyback.ts";
export type {
  BuybackCommand,
  BuybackLine,
  BuybackState,
  IdentityDocument,
  SellerIdentity,
} from "./buyback.ts";
export { bankTransferDeadline, businessDate, releaseAt } from "./day.ts";
export type { Day, Discount, Rate, Refusal, Rounding, TaxClass, Yen } from "./money.ts";
export { openingPrice } from "./opening-price.ts";
export { decide, evolve } from "./order.ts";
export type { Order, OrderCommand, OrderEvent, OrderState } from "./order.ts";
export { price, spread } from "./price.ts";
export type { LineInput, PricedLine } from "./price.ts";
export { receipt } from "./receipt.ts";
export type { ReceiptCompany, ReceiptDocument, ReceiptSale, ReceiptStore } from "./receipt.ts";
export { refund } from "./refund.ts";
export type { Refund, RefundAsk, RefundableSale, Refunded } from "./refund.ts";
export { checkDigit, isJan, parseScan } from "./scan.ts";
export type { Scan } from "./scan.ts";
export { normalise, searchText } from "./search-text.ts";
export { settle } from "./settle.ts";
export type { Payment, Tender } from "./settle.ts";
export { post } from "./stock.ts";
export type { Move, StockDocument } from "./stock.ts";
export { rateOn, taxes, taxRate } from "./tax.ts";
export type { TaxGroup, TaxRate } from "./tax.ts";
