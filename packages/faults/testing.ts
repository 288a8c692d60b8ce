import { startPostgres } from "test-postgres";
import type { TestPostgres } from "test-postgres";
import { afterAll, beforeAll, expect, vi } from "vitest";
import type { TestContext } from "vitest";
import { Lab } from "./lab.ts";

/** What never comes has not come by then, however busy the machine is. */
export const LONGEST_MS = 180_000;

/** One server for the tests of a file; the result gives each test a database and everything else of its own. */
export function labs(): (test: Pick<TestContext, "onTestFinished">) => Promise<Lab> {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres({ settings: { max_connections: "300" } });
  });
  afterAll(() => server.stop());
  return async ({ onTestFinished }) => {
    const lab = await Lab.open(server);
    onTestFinished(() => lab.close());
    return lab;
  };
}

/** Reads again until the value is like this. */
export async function until<T>(read: () => T | Promise<T>, expected: unknown): Promise<void> {
  await vi.waitFor(
    async () => {
      const value = await read();
      if (typeof expected === "function") expect((expected as (value: T) => boolean)(value)).toBe(true);
      else if (typeof expected === "object" && expected !== null && !Array.isArray(expected))
        expect(value).toMatchObject(expected);
      else expect(value).toEqual(expected);
    },
    { timeout: LONGEST_MS, interval: 50 },
  );
}

export const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);
