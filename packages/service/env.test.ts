import { expect, test } from "vitest";
import { z } from "zod";
import { EnvironmentError, readEnv } from "./env.ts";

const shape = {
  PORT: z.coerce.number().int().positive(),
  MAIL_FROM: z.email(),
  MODE: z.enum(["a", "b"]).default("a"),
};

test("values are parsed and defaults are filled in", () => {
  expect(readEnv(shape, { PORT: "8021", MAIL_FROM: "shop@example.jp", OTHER: "x" })).toEqual({
    PORT: 8021,
    MAIL_FROM: "shop@example.jp",
    MODE: "a",
  });
});

test("every missing or malformed variable is named in one message, and no value is shown", () => {
  const read = () => readEnv(shape, { MAIL_FROM: "not-an-address", MODE: "hunter2" });
  expect(read).toThrow(EnvironmentError);
  expect(read).toThrow(/PORT: is not set[\s\S]*MAIL_FROM: [\s\S]*MODE: /);
  expect(read).not.toThrow(/hunter2|not-an-address/);
});

test("an empty variable counts as missing", () => {
  expect(() => readEnv({ KEY: z.string() }, { KEY: "" })).toThrow(/KEY: is not set/);
  expect(readEnv({ KEY: z.string().default("x") }, { KEY: "" })).toEqual({ KEY: "x" });
});
