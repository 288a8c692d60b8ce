import { expect, vi } from "vitest";

/** `expect.poll` for tests that run beside each other: reads again until the matcher is content. */
export function until<T>(read: () => T | Promise<T>, timeout = 20_000): PromisifyAssertion {
  const matchers = {
    get:
      (_: object, name: string) =>
      (...values: unknown[]) =>
        settle(name, values),
  };
  const settle = (name: string, values: unknown[]) =>
    vi.waitFor(
      async () => {
        // oxlint-disable-next-line vitest/valid-expect -- the matcher is called by its name
        const assertion = expect(await read()) as unknown as Record<string, (...values: unknown[]) => void>;
        assertion[name]?.(...values);
      },
      { timeout, interval: 20 },
    );
  return new Proxy({}, matchers) as PromisifyAssertion;
}

type PromisifyAssertion = {
  [Name in "toBe" | "toEqual" | "toHaveLength" | "toContain" | "toMatchObject" | "toBeGreaterThan"]: (
    value: unknown,
  ) => Promise<void>;
};
