import { expect, test } from "vitest";
import { read } from "./mall-a.ts";

test("full-width brackets, colons and numbers are read like narrow ones", () => {
  expect(read("【モールA】ご注文がありました(注文番号：ＭＡ-20261124-0001)")).toEqual({
    kind: "order",
    mallOrderNo: "MA-20261124-0001",
  });
});

test("a subject that only contains an order's words is not about an order", () => {
  expect(read("Re: 【モールA】ご注文がありました(注文番号: MA-1)")).toBeNull();
  expect(read("【モールA】ご注文がありました(注文番号: MA-1) 至急!")).toBeNull();
  expect(read("【モールA】今月の請求書")).toBeNull();
});
