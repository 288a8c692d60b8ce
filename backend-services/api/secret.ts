import { createHmac } from "node:crypto";

/**
 * The secret of an order's page. Derived and not drawn: a repeated request must answer the same token, and the table of
 * stored answers must not hold it. Only its hash is kept, with the order.
 */
export const orderToken = (tokenKey: string, orderId: string): string =>
  createHmac("sha256", tokenKey).update(`order-page/${orderId}`).digest("base64url");
