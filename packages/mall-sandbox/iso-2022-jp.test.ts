import { expect, test } from "vitest";
import { encodeHeader, encodeIso2022Jp } from "./iso-2022-jp.ts";

const decode = (bytes: Uint8Array) => new TextDecoder("iso-2022-jp", { fatal: true }).decode(bytes);

test.each(["ご注文がありました", "abc", "のれん堂 様\r\nMA-1 を 3点", "①", ""])(
  "%j comes back from the bytes",
  (text) => {
    expect(decode(encodeIso2022Jp(text))).toBe(text);
  },
);

test("a character that the charset does not have becomes a geta", () => {
  expect(decode(encodeIso2022Jp("寿司🍣"))).toBe("寿司〓");
});

test("the bytes are seven bits wide and end in ASCII, as mail servers of all ages want", () => {
  const bytes = encodeIso2022Jp("注文A");
  expect(bytes.every((byte) => byte < 0x80)).toBe(true);
  expect(encodeIso2022Jp("注文").subarray(-3).toString("latin1")).toBe("\x1B(B");
});

test("no encoded word of a header is longer than 75 characters", () => {
  const header = encodeHeader("【モールA】ご注文がありました(注文番号: MA-20261124-ABCDEFGH)".repeat(3));
  for (const line of header.split("\r\n ")) expect(line.length).toBeLessThanOrEqual(75);
});
