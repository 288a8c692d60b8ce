import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { check, formatProblem, readWorkspace, resolve } from "./index.ts";
import { environmentManifest, minimal, workspaceFolder } from "./testing.ts";

const cli = fileURLToPath(new URL("cli.ts", import.meta.url));

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] },
  });
  return { status, stdout, stderr };
}

const good = () =>
  workspaceFolder({
    "copilot/svc/manifest.yml": minimal.worker,
    "copilot/environments/test/manifest.yml": environmentManifest("test"),
  });
const bad = () => workspaceFolder({ "copilot/svc/manifest.yml": `${minimal.worker}cpus: 1\n` });

test("check says what it read and ends with 0 when nothing is wrong", () => {
  expect(run("check", "--root", good())).toEqual({
    status: 0,
    stdout: "",
    stderr: expect.stringMatching(/^✔ 1 workloads × 1 environments, 0 pipelines: 0 problems \(\d\.\d s\)\n$/),
  });
});

test("check prints each mistake with its place and what to do, and ends with 1", () => {
  const { status, stdout } = run("check", "--root", bad());
  expect(status).toBe(1);
  expect(stdout).toBe(
    "✘ copilot/svc/manifest.yml:5:1 `cpus` is no key that Copilot knows: it would be ignored.\n  Did you mean `cpu`?\n",
  );
});

test("check --reporter json is the mistakes as data", () => {
  const { stdout } = run("check", "--root", bad(), "--reporter", "json");
  expect(JSON.parse(stdout)).toMatchObject([
    {
      file: "copilot/svc/manifest.yml",
      line: 5,
      column: 1,
      rule: "unknown-key",
      hint: "Did you mean `cpu`?",
    },
  ]);
});

test("--app names the application that the workspace does not", () => {
  const manifest = `${minimal.backend}secrets: { KEY: "/\${COPILOT_APPLICATION_NAME}/KEY" }\n`;
  const root = workspaceFolder({ "copilot/svc/manifest.yml": manifest }, { application: false });
  expect(run("check", "--root", root)).toMatchObject({ status: 0, stdout: "" });
  const secret = (...args: string[]) => {
    const { status, stdout } = run("show", "--env", "test", "--json", "--root", root, ...args, "svc");
    return { status, key: (JSON.parse(stdout) as { secrets: { KEY: unknown } }).secrets.KEY };
  };
  expect(secret("--app", "shop")).toEqual({ status: 0, key: { ssm: "/shop/KEY" } });
  expect(secret()).toEqual({ status: 0, key: { ssm: "/${COPILOT_APPLICATION_NAME}/KEY" } });
});

test("house rules are asked for, and their problems carry their set and the name that excepts them", () => {
  const root = workspaceFolder({ "copilot/svc/manifest.yml": minimal.job });
  expect(run("check", "--root", root)).toMatchObject({ status: 0, stdout: "" });
  const { status, stdout } = run("check", "--root", root, "--rules", "strict");
  expect(status).toBe(1);
  expect(stdout).toContain(
    "✘ copilot/svc/manifest.yml:1:1 The containers of svc can write to their own file system. [readonly-fs]\n  Write `storage: { readonly_fs: true }`",
  );
  const json = JSON.parse(
    run("check", "--root", root, "--rules", "strict", "--reporter", "json").stdout,
  ) as unknown;
  expect(json).toContainEqual(
    expect.objectContaining({ rule: "placement", set: "strict", file: "copilot/svc/manifest.yml", line: 1 }),
  );
});

test("copilot-manifest.yml beside copilot/ says which rules hold; --rules and --production are stronger", () => {
  const root = workspaceFolder({
    "copilot/svc/manifest.yml": `${minimal.backend}exec: true\n`,
    "copilot/environments/test/manifest.yml": environmentManifest("test"),
    "copilot-manifest.yml": "rules: strict\n",
  });
  const { stdout } = run("check", "--root", root);
  expect(stdout).toContain("[placement]");
  expect(stdout).not.toContain("[no-exec]");
  expect(run("check", "--root", root, "--production", "test").stdout).toContain("[no-exec]");
  expect(run("check", "--root", root, "--rules", "recommended").status).toBe(0);
  expect(run("check", "--root", root, "--production", "tset")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("There is no environment tset. Did you mean `test`?"),
  });
});

test("a reporter or rule set that does not exist ends with 2, not with the other one", () => {
  expect(run("check", "--root", good(), "--reporter", "jsn")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("There is no reporter jsn: text or json."),
  });
  expect(run("check", "--root", good(), "--rules", "all")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("There are no rules all: recommended or strict."),
  });
});

test("rules prints every rule, its set and what it demands", () => {
  const { status, stdout } = run("rules");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^recommended {2}unknown-key {2,}every key is one that Copilot reads$/m);
  expect(stdout).toMatch(/^strict {7}no-exec {2,}no `exec` in production$/m);
});

test("check where there is no workspace says where it looked, and what to do", () => {
  const empty = workspaceFolder({});
  const { status, stdout } = run("check", "--root", `${empty}/copilot`);
  expect(status).toBe(1);
  expect(stdout).toContain(`There is no Copilot workspace at ${empty}/copilot.`);
  expect(stdout).toContain("--root");
});

test("show prints a table of the environment's workloads and queues", () => {
  const { status, stdout } = run("show", "--env", "test", "--root", good());
  expect(status).toBe(0);
  expect(stdout).toContain("svc       Worker Service  –     256  512     1      –");
  expect(stdout).toContain("queue  shop-test-svc-EventsQueue  ←  nothing");
});

test("show --json is the merged workload, with its defaults", () => {
  const { stdout } = run("show", "--env", "test", "--json", "svc", "--root", good());
  expect(JSON.parse(stdout)).toMatchObject({
    name: "svc",
    cpu: 256,
    queue: { env: { variable: "COPILOT_QUEUE_URI" } },
  });
});

test("an environment or workload that does not exist is answered with the nearest one", () => {
  expect(run("show", "--env", "tset", "--root", good())).toMatchObject({
    status: 2,
    stderr: "✘ There is no environment tset.\n  Did you mean `test`?\n",
  });
  expect(run("show", "--env", "test", "scv", "--root", good())).toMatchObject({
    status: 2,
    stderr: "✘ There is no workload scv.\n  Did you mean `svc`?\n",
  });
});

test("an unknown command or option ends with 2 and the usage", () => {
  expect(run("chekc")).toMatchObject({
    status: 2,
    stdout: "",
    stderr: expect.stringContaining("copilot-manifest check"),
  });
  expect(run("check", "--rooot", ".")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("--rooot"),
  });
});

test("a problem without a hint is one line", () => {
  expect(formatProblem({ rule: "r", message: "It is wrong.", file: "a.yml", line: 1, column: 2 })).toBe(
    "✘ a.yml:1:2 It is wrong.",
  );
});

// The package lies in the repository whose manifests it reads; alone it has nothing to read.
const repository = fileURLToPath(new URL("../../", import.meta.url));
test.runIf(existsSync(`${repository}copilot`))("this repository's own workspace has no problems", () => {
  const workspace = readWorkspace(repository);
  expect(check(workspace, {}).map(formatProblem)).toEqual([]);
  expect(workspace.environments.length).toBeGreaterThan(0);
  for (const environment of workspace.environments) {
    expect(resolve(workspace, environment, {}).workloads.length).toBe(workspace.workloads.size);
  }
});
