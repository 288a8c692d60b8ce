import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { rules, stubbed } from "./testing-rules.ts";
import type { Played } from "./testing-rules.ts";

// Only the stub's own clock moves, or a call between two seconds would not be repeatable.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const send = fc.tuple(fc.constant("send"), fc.nat(2), fc.nat(11));
const receive = fc.tuple(fc.constant("receive"), fc.integer({ min: 1, max: 10 }), fc.constantFrom(0, 1, 30));
// Of all receipts so far, so old ones are used too.
const destroy = fc.tuple(fc.constant("delete"), fc.nat(30), fc.constant(0));
const hide = fc.tuple(fc.constant("hide"), fc.nat(30), fc.constantFrom(0, 5, 43_200));
const advance = fc.tuple(
  fc.constant("advance"),
  fc.constantFrom(1, 29, 30, 299, 300, 20_000),
  fc.constant(0),
);
const calls = fc.array(fc.oneof(send, send, receive, destroy, hide, advance), { maxLength: 120 });

/** Plays a sequence of calls, and writes down what came of each. */
function play(on: Played, sequence: [string, number, number][]): unknown[] {
  let given = 0;
  return sequence.map(([call, a, b]) => {
    let answer: unknown;
    if (call === "send") answer = on.send(`g${a}`, String(b));
    if (call === "advance") on.advance(a);
    if (call === "delete" && given > 0) answer = on.delete(a % given);
    if (call === "hide" && given > 0) answer = on.hide(a % given, b);
    if (call === "receive") {
      const messages = on.receive(a, b);
      given += messages.length;
      answer = messages;
    }
    return [call, a, b, structuredClone(answer), structuredClone(on.look())];
  });
}

test.for(["queue", "messageGroup"] as const)(
  "whatever is called, the stub answers and keeps what AWS's rules say (deduplication by %s)",
  (scope) => {
    const settings = fc.record({
      scope: fc.constant(scope),
      mostReceives: fc.constantFrom(1, 2, 4, Infinity),
    });
    fc.assert(
      fc.property(settings, calls, (of, sequence) => {
        expect(play(stubbed(of), sequence)).toEqual(play(rules(of), sequence));
      }),
      { numRuns: 500 },
    );
  },
);
