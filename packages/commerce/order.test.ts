import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, evolve, releaseAt, type Order, type OrderCommand } from "./index.ts";

const deadline = new Date("2026-11-27T14:59:59Z");
const before = new Date("2026-11-25T00:00:00Z");
const after = releaseAt(deadline);
const fresh: Order = { state: "new" };
const placed: OrderCommand = { type: "place", totalYen: 1000, deadline };
const paidImport: OrderCommand = {
  type: "import",
  totalYen: 1000,
  paid: true,
  reserved: true,
  deadline: null,
};

const run = (order: Order, ...commands: (OrderCommand | [OrderCommand, Date])[]) =>
  commands.reduce<{ order: Order; events: string[]; refundDueYen: number }>(
    (so, command) => {
      const [what, now] = Array.isArray(command) ? command : [command, before];
      const events = decide(so.order, what, now);
      return {
        order: events.reduce(evolve, so.order),
        events: [...so.events, ...events.map(({ type }) => type)],
        refundDueYen: events.reduce(
          (due, event) => due + (event.type === "refund_due" ? event.amountYen : 0),
          so.refundDueYen,
        ),
      };
    },
    { order, events: [], refundDueYen: 0 },
  );
const capture = (amountYen: number, reservedAgain?: boolean): OrderCommand => ({
  type: "capture",
  amountYen,
  reservedAgain,
});
const cancel: OrderCommand = { type: "cancel", by: "customer", reason: "都合により" };

describe("an order", () => {
  test("waits for its money, is paid, picked, shipped and completed", () => {
    const steps: OrderCommand[] = [
      placed,
      capture(1000),
      { type: "start_picking" },
      { type: "dispatch_last" },
      { type: "complete" },
    ];
    expect(run(fresh, ...steps).events).toEqual([
      "placed",
      "captured",
      "paid",
      "picking_started",
      "shipped",
      "completed",
    ]);
  });

  test("expires half an hour after its deadline, not a moment earlier", () => {
    const early = new Date(after.getTime() - 1);
    expect(run(fresh, placed, [{ type: "pass_deadline" }, early]).events).toEqual(["placed", "ignored"]);
    expect(run(fresh, placed, [{ type: "pass_deadline" }, after]).order.state).toBe("expired");
  });

  test("that was paid in time does not expire", () => {
    expect(run(fresh, placed, capture(1000), [{ type: "pass_deadline" }, after]).order.state).toBe("paid");
  });

  test("whose money comes late is paid if it can be reserved again, else the money is owed", () => {
    const expired = run(fresh, placed, [{ type: "pass_deadline" }, after]).order;
    expect(run(expired, capture(1000, true)).order.state).toBe("paid");
    expect(run(expired, capture(1000, false))).toMatchObject({
      order: { state: "expired" },
      refundDueYen: 1000,
    });
  });

  test("that is paid twice owes the second payment", () => {
    expect(run(fresh, placed, capture(1000), capture(1000))).toMatchObject({
      order: { state: "paid" },
      refundDueYen: 1000,
    });
  });

  test("that is paid in part waits on, and owes the part when it expires", () => {
    const part = run(fresh, placed, capture(400));
    expect(part.order.state).toBe("awaiting_payment");
    expect(run(part.order, [{ type: "pass_deadline" }, after])).toMatchObject({
      order: { state: "expired" },
      refundDueYen: 400,
    });
  });

  test("cancelled before its money is cancelled at once, after it once the money is back", () => {
    expect(run(fresh, placed, cancel).order.state).toBe("cancelled");
    const cancelling = run(fresh, placed, capture(1000), cancel);
    expect(cancelling).toMatchObject({ order: { state: "cancelling" }, refundDueYen: 1000 });
    expect(run(cancelling.order, { type: "refund", amountYen: 1000 }).order.state).toBe("cancelled");
  });

  test("can be cancelled by the customer until it is picked, by the store still then", () => {
    const picking = run(fresh, placed, capture(1000), { type: "start_picking" }).order;
    expect(run(picking, cancel).events).toEqual(["ignored"]);
    expect(run(picking, { ...cancel, by: "staff" }).order.state).toBe("cancelling");
  });

  test("from a mall is paid, awaits payment, or is short when it cannot be reserved", () => {
    expect(run(fresh, paidImport).order).toMatchObject({ state: "paid", capturedYen: 1000 });
    expect(run(fresh, { ...paidImport, paid: false }).order.state).toBe("awaiting_payment");
    expect(run(fresh, { ...paidImport, reserved: false }).order.state).toBe("short");
    expect(run(fresh, { ...paidImport, reserved: false }, { type: "find_stock" }).order.state).toBe("paid");
  });

  test("exists once: placing or importing it again is ignored", () => {
    expect(run(fresh, placed, placed, paidImport).events).toEqual(["placed", "ignored", "ignored"]);
  });
});

test("no sequence of commands leaves the table, and money is conserved", () => {
  const allowed: Record<string, string[]> = {
    new: ["awaiting_payment", "paid", "short"],
    awaiting_payment: ["paid", "expired", "cancelled", "cancelling"],
    paid: ["picking", "short", "cancelling", "cancelled"],
    short: ["paid", "cancelling", "cancelled"],
    picking: ["shipped", "short", "cancelling", "cancelled"],
    shipped: ["completed"],
    completed: [],
    expired: ["paid"],
    cancelling: ["cancelled"],
    cancelled: ["paid"],
  };
  const command: fc.Arbitrary<OrderCommand> = fc.oneof(
    fc.constant(placed),
    fc.record({
      type: fc.constant("import" as const),
      totalYen: fc.constant(1000),
      paid: fc.boolean(),
      reserved: fc.boolean(),
      deadline: fc.constant(null),
    }),
    fc.record({
      type: fc.constant("capture" as const),
      amountYen: fc.constantFrom(300, 1000, 1500),
      reservedAgain: fc.boolean(),
    }),
    fc.constant<OrderCommand>({ type: "pass_deadline" }),
    fc
      .constantFrom("customer" as const, "staff" as const, "mall" as const)
      .map((by): OrderCommand => ({ type: "cancel", by, reason: "試験" })),
    fc.constantFrom<OrderCommand>(
      { type: "find_shortage" },
      { type: "find_stock" },
      { type: "start_picking" },
      { type: "dispatch_last" },
      { type: "complete" },
    ),
    fc.constantFrom(300, 1000, 1500).map((amountYen): OrderCommand => ({ type: "refund", amountYen })),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(command, fc.constantFrom(before, after)), { maxLength: 25 }), (steps) => {
      let order: Order = fresh;
      let [inYen, outYen] = [0, 0];
      for (const [what, now] of steps) {
        const events = decide(order, what, now);
        expect(events.length).toBeGreaterThan(0);
        const next: Order = events.reduce(evolve, order);
        expect([order.state, ...(allowed[order.state] ?? [])]).toContain(next.state);
        for (const event of events) {
          if (event.type === "captured") inYen += event.amountYen;
          if (event.type === "imported") inYen += event.capturedYen;
          if (event.type === "refunded") outYen += event.amountYen;
        }
        order = next;
        if (order.state === "new") continue;
        expect(order.capturedYen).toBe(inYen);
        expect(order.refundedYen).toBe(outYen);
        expect(outYen).toBeLessThanOrEqual(inYen);
      }
    }),
    { numRuns: 500 },
  );
});
