import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import known from "./copilot-commands.json" with { type: "json" };
import { commands, version } from "./copilot-commands.ts";
import { extract } from "./extract-copilot-commands.ts";
import { type Files, factsOf } from "./testing.ts";

const files: Files = {
  "package.json":
    '{\n  "name": "root",\n  "scripts": { "start": "x", "lint:docs": "x" },\n  "devDependencies": { "knip": "1" }\n}',
  "turbo.json": '{ "tasks": { "build": {}, "api#test": {}, "//#lint:docs": {} } }',
  "apps/api/package.json": '{ "name": "@shop/api", "scripts": { "test": "x", "build": "x" } }',
  "apps/web/package.json": '{ "name": "web", "bin": { "web-tool": "x" }, "scripts": { "dev": "x" } }',
  "tools/load.ts": "",
  "copilot/setup.sh": "",
  "copilot/api/manifest.yml": "name: api\ntype: Backend Service\nimage:\n  build: apps/api/Dockerfile\n",
  "copilot/nightly/manifest.yml":
    'name: nightly\ntype: Scheduled Job\nimage:\n  build: Dockerfile\non:\n  schedule: "@daily"\n',
  "copilot/environments/test/manifest.yml": "name: test\ntype: Environment\n",
  "copilot/environments/live/manifest.yml": "name: live\ntype: Environment\n",
  "copilot/pipelines/main/manifest.yml": "name: main\nversion: 1\nstages:\n  - name: test\n",
};
const facts = factsOf(files);

function problem(command: string, dir = "") {
  const found = facts.command?.(command.split(" "), dir);
  return found && `${found.kind} ${found.word}: ${found.message}`;
}

test("the tree is the CLI's own, whole", () => {
  expect(version).toBe("1.34.1");
  expect(commands.size).toBe(59);
  expect(commands.get("svc logs")?.find(({ long }) => long === "--since")).toEqual({
    long: "--since",
    short: undefined,
    takesValue: true,
  });
  expect(commands.get("env init")?.map(({ long }) => long)).toContain("--import-vpc-id");
  for (const flags of commands.values()) for (const { long } of flags) expect(long).toMatch(/^--[a-z]/);
});

// `npm run check:copilot` puts the CLI there; without it there is nothing to compare with.
const cli = join(import.meta.dirname, "..", "..", ".local", "venv", "bin", "copilot");

test.skipIf(!existsSync(cli))("the real CLI says the same of itself", () => {
  const tree = extract(cli);
  expect(tree.version).toBe(version);
  expect(tree.commands).toEqual(known.commands);
});

describe("right", () => {
  test.each([
    "copilot svc deploy --name api --env live",
    "copilot svc logs -n api -e test --since 30m --follow",
    "copilot svc deploy --name=api --env=<env>",
    "copilot job run -n nightly -e [test|live]",
    "copilot deploy --all --init-wkld --env test -n api/1,nightly/2",
    "copilot env init --name brand-new",
    "copilot env deploy --name live",
    "copilot pipeline status --name main",
    "copilot pipeline update --name main --yes",
    "copilot run local --name api --env live --proxy",
    "copilot task run --env live -- python load.py --all",
    "copilot svc <command>",
    "copilot help svc deploy",
    "copilot completion zsh",
    "LOG_LEVEL=debug copilot svc ls",
    "pnpm start",
    "pnpm install --frozen-lockfile",
    "pnpm knip",
    "pnpm web-tool --fast",
    "pnpm --filter @shop/api test",
    "pnpm --filter api test",
    "pnpm -F web... run dev",
    "pnpm -r test",
    "pnpm --filter ./apps/* build",
    "pnpm --filter <名前> test",
    "npx --yes pnpm@12 --filter @shop/api build",
    "npm start",
    "npm run lint:docs",
    "npx something",
    "turbo run build test --filter=web",
    "docker compose up",
    "node load.ts --fast",
    "node --import tsx tools/load.ts",
    "node -e fetch()",
    "node dist/<name>.mjs",
    "copilot/setup.sh test",
    "./setup.sh test",
    "orders/items of.shop",
  ])("%s", (command) => {
    expect(problem(command)).toBeUndefined();
  });

  test("a script of the package that the document is about", () => {
    expect(problem("pnpm build", "apps/api")).toBeUndefined();
    expect(problem("pnpm build", "apps/web")).toBe(
      "script 1: Unexpected script `build`, expected one of `dev`, `start`, `lint:docs`",
    );
  });
});

describe("wrong", () => {
  test.each([
    ["copilot svc lgos -n api", "command 2: Unexpected command `lgos`, expected `logs`"],
    ["copilot storage init --svc api", "flag 3: Unexpected flag `--svc`, expected `--lsi`"],
    ["copilot service deploy", "command 1: Unexpected command `service`, expected one that exists"],
    [
      "copilot svc deploy --enviroment live",
      "flag 3: Unexpected flag `--enviroment`, expected one that exists",
    ],
    [
      "copilot svc deploy --name api --env prod",
      "flag-value 6: Unexpected environment `prod`, expected one of `live`, `test`",
    ],
    ["copilot svc deploy --name apu --env live", "flag-value 4: Unexpected service `apu`, expected `api`"],
    [
      "copilot svc deploy --name nightly",
      "flag-value 4: Unexpected service `nightly`, expected one of `api`",
    ],
    ["copilot job run -n nightli", "flag-value 4: Unexpected job `nightli`, expected `nightly`"],
    ["copilot deploy -n api/1,nightli/2", "flag-value 3: Unexpected workload `nightli`, expected `nightly`"],
    [
      "copilot job run -n nightly -e [test|lve]",
      "flag-value 6: Unexpected environment `lve`, expected `live`",
    ],
    ["copilot pipeline deploy --name mian", "flag-value 4: Unexpected pipeline `mian`, expected `main`"],
    ["copilot svc ls --app shep", "flag-value 4: Unexpected application `shep`, expected `shop`"],
    ["pnpm strat", "script 1: Unexpected script `strat`, expected `start`"],
    ["pnpm run lint:doc", "script 2: Unexpected script `lint:doc`, expected `lint:docs`"],
    ["pnpm --filter @shop/app test", "filter 2: Unexpected filter `@shop/app`, expected `@shop/api`"],
    ["npx --yes pnpm@12 --filter @shop/api tset", "script 5: Unexpected script `tset`, expected `test`"],
    ["npm run strat", "script 2: Unexpected script `strat`, expected `start`"],
    ["npm test", "script 1: Unexpected script `test`, expected `start`"],
    ["node lode.ts --fast", "file 1: Unexpected file `lode.ts`, expected `load.ts`"],
    ["node tool/load.ts", "file 1: Unexpected file `tool/load.ts`, expected `tools/load.ts`"],
    ["copilot/set-up.sh test", "file 0: Unexpected file `copilot/set-up.sh`, expected `copilot/setup.sh`"],
    ["turbo run biuld", "script 2: Unexpected task `biuld`, expected `build`"],
  ])("%s", (command, message) => {
    expect(problem(command)).toBe(message);
  });

  test("a wrong name says where the right ones stand", () => {
    expect(facts.command?.("copilot svc deploy --env prod".split(" "), "")).toMatchObject({
      actual: "prod",
      related: "copilot/environments",
    });
    expect(facts.command?.(["pnpm", "strat"], "")).toMatchObject({
      expected: ["start"],
      related: "package.json:3",
    });
    expect(facts.command?.("copilot svc lgos".split(" "), "")?.note).toContain(
      "`copilot svc --help` of 1.34.1",
    );
  });
});
