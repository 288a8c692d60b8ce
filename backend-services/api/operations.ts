import { agreeBuyback } from "./agree-buyback.ts";
import { appraiseBuyback } from "./appraise-buyback.ts";
import { readBuyback } from "./buybacks.ts";
import { catalogue, catalogueItem } from "./catalogue.ts";
import { completeSale } from "./complete-sale.ts";
import { declineBuyback } from "./decline-buyback.ts";
import { enrolDevice } from "./enrol-device.ts";
import { health } from "./health.ts";
import { identifySeller } from "./identify-seller.ts";
import type { Operations } from "./operation.ts";
import { payOutBuyback } from "./pay-out-buyback.ts";
import { placeOrder } from "./place-order.ts";
import { quoteOrder } from "./quote.ts";
import { readOrder } from "./read-order.ts";
import { receiveStock } from "./receive-stock.ts";
import { refundSale } from "./refund-sale.ts";
import { registerItem } from "./register-item.ts";
import { currentRegister, openRegister } from "./register-session.ts";
import { listSales, readSale } from "./sales.ts";
import { signIn } from "./sign-in.ts";
import { storefront } from "./storefront.ts";
import { scanProduct, searchProducts } from "./till-products.ts";

/** The function behind each route of the contract. */
export const operations: Operations = {
  health,
  enrolDevice,
  signIn,
  openRegister,
  currentRegister,
  scanProduct,
  searchProducts,
  completeSale,
  refundSale,
  appraiseBuyback,
  readBuyback,
  agreeBuyback,
  identifySeller,
  payOutBuyback,
  declineBuyback,
  readSale,
  listSales,
  storefront,
  catalogue,
  catalogueItem,
  quoteOrder,
  placeOrder,
  readOrder,
  registerItem,
  receiveStock,
};
