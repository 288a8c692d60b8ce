import { z } from "zod";
import { receiveStock, registerItem } from "./back-office.ts";
import {
  agreeBuyback,
  appraiseBuyback,
  declineBuyback,
  identifySeller,
  payOutBuyback,
  readBuyback,
} from "./buyback.ts";
import { route } from "./route.ts";
import { catalogue, catalogueItem, placeOrder, quoteOrder, readOrder, storefront } from "./storefront.ts";
import {
  completeSale,
  currentRegister,
  enrolDevice,
  listSales,
  openRegister,
  readSale,
  refundSale,
  scanProduct,
  searchProducts,
  signIn,
} from "./till.ts";

const health = route({
  method: "get",
  path: "/health",
  summary: "200 while the service can work, 503 while it cannot",
  for: "anyone",
  scope: "none",
  status: 200,
  answer: z.object({ ok: z.boolean() }),
});

/** Every operation of backend-api by name. The server registers exactly these, the client has one method for each. */
export const routes = {
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

export type Routes = typeof routes;
export type RouteName = keyof Routes;
