import { releaseAt } from "./day.ts";
import type { Yen } from "./money.ts";

export type OrderState =
  | "awaiting_payment"
  | "paid"
  | "short"
  | "picking"
  | "shipped"
  | "completed"
  | "expired"
  | "cancelling"
  | "cancelled";

export type Order =
  | { state: "new" }
  | { state: OrderState; totalYen: Yen; capturedYen: Yen; refundedYen: Yen; deadline: Date | null };

export type OrderCommand =
  | { type: "place"; totalYen: Yen; deadline: Date }
  /** `reserved`: whether all of its lines could be reserved. */
  | { type: "import"; totalYen: Yen; paid: boolean; reserved: boolean; deadline: Date | null }
  /** Money arrived. `reservedAgain` is asked of late money only: whether a let-go order could be reserved anew. */
  | { type: "capture"; amountYen: Yen; reservedAgain?: boolean }
  | { type: "pass_deadline" }
  | { type: "cancel"; by: "customer" | "staff" | "mall"; reason: string }
  | { type: "find_shortage" }
  | { type: "find_stock" }
  | { type: "start_picking" }
  | { type: "dispatch_last" }
  | { type: "complete" }
  | { type: "refund"; amountYen: Yen };

export type OrderEvent =
  | { type: "placed"; state: "awaiting_payment"; totalYen: Yen; deadline: Date }
  | {
      type: "imported";
      state: "paid" | "awaiting_payment" | "short";
      totalYen: Yen;
      capturedYen: Yen;
      deadline: Date | null;
    }
  | { type: "captured"; amountYen: Yen }
  | { type: "paid"; state: "paid" }
  /** Let the reservation go. */
  | { type: "expired"; state: "expired" }
  | { type: "cancelled"; state: "cancelled"; reason: string }
  /** Let the reservation go; the order is cancelled once the money is back. */
  | { type: "cancelling"; state: "cancelling"; reason: string }
  | { type: "refund_due"; amountYen: Yen }
  | { type: "refunded"; amountYen: Yen }
  | { type: "short"; state: "short" }
  | { type: "stock_found"; state: "paid" }
  | { type: "picking_started"; state: "picking" }
  | { type: "shipped"; state: "shipped" }
  | { type: "completed"; state: "completed" }
  /** The table has no such row; nothing changes, and the reason is worth a record. */
  | { type: "ignored"; reason: string };

const ignored = (order: Order, command: OrderCommand): OrderEvent[] => [
  { type: "ignored", reason: `${command.type} means nothing to an order that is ${order.state}` },
];
const within = (order: Order, ...states: OrderState[]) => (states as string[]).includes(order.state);

/**
 * What happens to an order on a command: the table of its states and nothing else. The answer's events are applied by
 * `evolve`, and each names its effect (reserve, release, refund) for the caller.
 */
export function decide(order: Order, command: OrderCommand, now: Date): OrderEvent[] {
  if (order.state === "new") return begin(order, command);
  switch (command.type) {
    case "capture":
      return capture(order, command);
    case "pass_deadline": {
      if (order.state !== "awaiting_payment" || order.deadline === null) return ignored(order, command);
      if (now < releaseAt(order.deadline))
        return [{ type: "ignored", reason: "the deadline has not passed yet" }];
      // A part of the money is not enough to keep the goods; it goes back.
      return [{ type: "expired", state: "expired" }, ...owed(order.capturedYen - order.refundedYen)];
    }
    case "cancel": {
      const states: OrderState[] = ["awaiting_payment", "paid", "short"];
      // Once somebody picks it, only the store or the mall may stop it.
      if (command.by !== "customer") states.push("picking");
      if (!within(order, ...states)) return ignored(order, command);
      const held = order.capturedYen - order.refundedYen;
      return held > 0
        ? [{ type: "cancelling", state: "cancelling", reason: command.reason }, ...owed(held)]
        : [{ type: "cancelled", state: "cancelled", reason: command.reason }];
    }
    case "find_shortage":
      return within(order, "paid", "picking") ? [{ type: "short", state: "short" }] : ignored(order, command);
    case "find_stock":
      return within(order, "short") ? [{ type: "stock_found", state: "paid" }] : ignored(order, command);
    case "start_picking":
      return within(order, "paid")
        ? [{ type: "picking_started", state: "picking" }]
        : ignored(order, command);
    case "dispatch_last":
      return within(order, "picking") ? [{ type: "shipped", state: "shipped" }] : ignored(order, command);
    case "complete":
      return within(order, "shipped") ? [{ type: "completed", state: "completed" }] : ignored(order, command);
    case "refund": {
      const held = order.capturedYen - order.refundedYen;
      if (command.amountYen <= 0 || command.amountYen > held) return ignored(order, command);
      const refunded: OrderEvent = { type: "refunded", amountYen: command.amountYen };
      const done = order.state === "cancelling" && command.amountYen === held;
      return done ? [refunded, { type: "cancelled", state: "cancelled", reason: "返金済み" }] : [refunded];
    }
    default:
      return ignored(order, command);
  }
}

function begin(order: Order, command: OrderCommand): OrderEvent[] {
  if (command.type === "place") {
    const { totalYen, deadline } = command;
    return [{ type: "placed", state: "awaiting_payment", totalYen, deadline }];
  }
  if (command.type === "import") {
    const { totalYen, paid, reserved, deadline } = command;
    const state = !reserved ? "short" : paid ? "paid" : "awaiting_payment";
    return [{ type: "imported", state, totalYen, capturedYen: paid ? totalYen : 0, deadline }];
  }
  return ignored(order, command);
}

function capture(
  order: Exclude<Order, { state: "new" }>,
  { amountYen, reservedAgain = false }: Extract<OrderCommand, { type: "capture" }>,
): OrderEvent[] {
  const captured: OrderEvent = { type: "captured", amountYen };
  const held = order.capturedYen - order.refundedYen + amountYen;
  if (order.state === "awaiting_payment") {
    if (held < order.totalYen) return [captured];
    return [captured, { type: "paid", state: "paid" }, ...owed(held - order.totalYen)];
  }
  if (order.state === "expired" || order.state === "cancelled") {
    if (!reservedAgain || held < order.totalYen) return [captured, ...owed(amountYen)];
    return [captured, { type: "paid", state: "paid" }, ...owed(held - order.totalYen)];
  }
  // An unpaid mall order that was short may still be paid; everything else has its money already.
  if (order.state === "short" && held <= order.totalYen) return [captured];
  return [captured, ...owed(amountYen)];
}

const owed = (amountYen: Yen): OrderEvent[] => (amountYen > 0 ? [{ type: "refund_due", amountYen }] : []);

/** The order after an event. */
export function evolve(order: Order, event: OrderEvent): Order {
  if (event.type === "placed" || event.type === "imported") {
    const { state, totalYen, deadline } = event;
    return {
      state,
      totalYen,
      deadline,
      capturedYen: "capturedYen" in event ? event.capturedYen : 0,
      refundedYen: 0,
    };
  }
  if (order.state === "new") return order;
  if (event.type === "captured") return { ...order, capturedYen: order.capturedYen + event.amountYen };
  if (event.type === "refunded") return { ...order, refundedYen: order.refundedYen + event.amountYen };
  return "state" in event ? { ...order, state: event.state } : order;
}
