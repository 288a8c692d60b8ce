import { randomInt } from "node:crypto";

/** An order as `GET /api/orders/:no` tells it. */
export type Order = {
  no: string;
  status: "placed" | "cancelled";
  placedAt: string;
  buyer: { name: string; email: string };
  shipTo: {
    name: string;
    postalCode: string;
    prefecture: string;
    city: string;
    line1: string;
    phone: string;
  };
  lines: { itemCode: string; condition: string; qty: number; unitYen: number }[];
  paid: boolean;
  totalYen: number;
};

export type NewOrder = Pick<Order, "buyer" | "lines" | "paid">;

/** The mall's orders, newest first. They are forgotten when the mall stops: the shop keeps its own. */
export class Orders {
  readonly #orders = new Map<string, Order>();

  place(order: NewOrder, at = new Date()): Order {
    const placed: Order = {
      ...order,
      // Random, because a mall that starts again must not give a number twice.
      no: `MA-${at.toISOString().slice(0, 10).replaceAll("-", "")}-${randomCode()}`,
      status: "placed",
      placedAt: at.toISOString(),
      shipTo: {
        name: order.buyer.name,
        postalCode: "1000001",
        prefecture: "東京都",
        city: "千代田区",
        line1: "千代田1-1",
        phone: "0312345678",
      },
      totalYen: order.lines.reduce((sum, line) => sum + line.qty * line.unitYen, 0),
    };
    this.#orders.set(placed.no, placed);
    return placed;
  }

  get(no: string): Order | undefined {
    return this.#orders.get(no);
  }

  cancel(no: string): Order | undefined {
    const order = this.#orders.get(no);
    if (order) order.status = "cancelled";
    return order;
  }

  list(): Order[] {
    return [...this.#orders.values()].toReversed();
  }
}

const letters = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";

function randomCode(): string {
  return Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join("");
}
