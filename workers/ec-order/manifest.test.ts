import { handled, subscribed } from "@noren/consumer/testing";
import { expect, test } from "vitest";
import { handlers } from "./handlers.ts";

test("the queue takes exactly the events that have a handler, each on its own topic", () => {
  expect(subscribed("worker-ec-order")).toEqual(handled(handlers));
});
