import { existsSync, readFileSync } from "node:fs";
import { testDatabase } from "@noren/database/testing";
import { readWorkspace, resolve } from "copilot-manifest";
import { expect, test } from "vitest";

// What is easily left as it was when a manifest is copied, and what nothing else reads before AWS does.
const root = new URL("../../", import.meta.url).pathname;
const all = resolve(readWorkspace(root), "staging").workloads;
const workloads = all.filter(({ variables }) => variables["DATABASE_USER"]);

test("every workload logs in as the role of its own name, and no other role may, an operator's aside", async () => {
  const testing = await testDatabase();
  try {
    const { rows } = await testing.owner.pool.query<{ name: string }>(
      "select rolname as name from pg_roles where rolcanlogin and rolname not in ('postgres', 'noren', 'noren_operator') order by 1",
    );
    const own = workloads.map(({ name }) => name.replaceAll("-", "_")).toSorted();
    expect(workloads.map(({ variables }) => variables["DATABASE_USER"])).toEqual(
      workloads.map(({ name }) => ({ value: name.replaceAll("-", "_") })),
    );
    expect(rows.map(({ name }) => name)).toEqual(own);
  } finally {
    await testing.drop();
  }
});

test("every workload that logs in has the addon that lets it, and one with a queue may hold its messages", () => {
  const without = workloads.flatMap(({ name, queue }) =>
    ["database-access.yml", ...(queue ? ["queue-access.yml"] : [])]
      .map((addon) => `copilot/${name}/addons/${addon}`)
      .filter((path) => !existsSync(root + path)),
  );
  expect(without).toEqual([]);
});

test("a deployment is rolled back by the workload's own alarms", () => {
  const foreign = workloads.flatMap(({ name, manifest }) => {
    const { deployment } = manifest as { deployment?: { rollback_alarms?: string[] } };
    return (deployment?.rollback_alarms ?? []).filter((alarm) => !alarm.includes(`-${name}-`));
  });
  expect(foreign).toEqual([]);
});

test("the tests of the whole workspace depend on every workload: turbo repeats them when its code changes", () => {
  const { devDependencies } = JSON.parse(readFileSync(`${root}packages/e2e/package.json`, "utf8")) as {
    devDependencies: Record<string, string>;
  };
  expect(Object.keys(devDependencies)).toEqual(expect.arrayContaining(all.map(({ name }) => name)));
});
