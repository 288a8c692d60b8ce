import { existsSync, readFileSync } from "node:fs";
import { testDatabase } from "@noren/database/testing";
import { readWorkspace, resolve } from "copilot-manifest";
import { expect, test } from "vitest";

// What is easily left as it was when a manifest is copied, and what nothing else reads before AWS does.
const root = new URL("../../", import.meta.url).pathname;
const all = resolve(readWorkspace(root), "staging").workloads;
const workloads = all.filter(({ variables }) => variables["DATABASE_USER"]);

test("every workload logs in as the role of its own name, which the migrations make and its addon allows", async () => {
  const testing = await testDatabase();
  try {
    const { rows } = await testing.owner.pool.query<{ rolname: string }>(
      "select rolname from pg_roles where rolcanlogin",
    );
    const found = workloads.map(({ name, variables }) => ({
      name,
      user: variables["DATABASE_USER"],
      role: rows.some(({ rolname }) => rolname === name.replaceAll("-", "_")),
      addon: existsSync(`${root}copilot/${name}/addons/database-access.yml`),
    }));
    expect(found).toEqual(
      found.map(({ name }) => ({
        name,
        user: { value: name.replaceAll("-", "_") },
        role: true,
        addon: true,
      })),
    );
  } finally {
    await testing.drop();
  }
});

test("every workload with a queue may hold its messages for longer", () => {
  const without = workloads
    .filter(({ queue, name }) => queue && !existsSync(`${root}copilot/${name}/addons/queue-access.yml`))
    .map(({ name }) => name);
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
