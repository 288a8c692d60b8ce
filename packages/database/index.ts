export { connect, clientConfig, databaseEnv, settingsOf } from "./connect.ts";
export type { Database, DatabaseEnv, Settings } from "./connect.ts";
export { emit } from "./emit.ts";
export {
  companyByStorefront,
  companyIds,
  enterMallAccount,
  hashEnrolmentCode,
  hashToken,
  newToken,
  registerByDevice,
  registerByEnrolmentCode,
} from "./lookups.ts";
export type { RegisterIdentity } from "./lookups.ts";
export { hashPin, verifyPin } from "./pin.ts";
export { receiptOfRefund, refundsOfSale } from "./receipt-of-refund.ts";
export { receiptOfSale } from "./receipt-of-sale.ts";
export { callOff, claimDue, companiesWithDueSchedules, plan } from "./schedules.ts";
export type { DueRow, ScheduleKind } from "./schedules.ts";
export type { Schema } from "./schema.ts";
export { storeStock } from "./store-stock.ts";
export { writeStock } from "./stock.ts";
export type { ReservationOwner, StockLevel, StockMove, StockResult, StockWrite } from "./stock.ts";
export { writeRefund } from "./write-refund.ts";
export { enterCompany, inCompany, tenantTransaction } from "./tenant.ts";
export type { Tx } from "./tenant.ts";
