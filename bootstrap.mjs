// `npm start` and `npm test` on a machine that has only Node 20 and npm: installs what is missing, then hands over to
// the Node 24 of node_modules. No dependency may be imported here, and no syntax that an old Node cannot read (no await
// outside functions, no `??`): it must get as far as saying that it is too old.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const bin = join(root, "node_modules", ".bin");
const stampFile = join(root, "node_modules", ".bootstrap-stamp");
const [command, ...args] = process.argv.slice(2);

const major = Number(process.versions.node.split(".")[0]);
if (major < 20) {
  fail(
    `This is Node ${process.versions.node}; Node 20 or newer is needed to start (it then brings its own Node 24).`,
    "Install a newer one from https://nodejs.org, and run the same command again.",
  );
}
if (command !== "start" && command !== "test" && command !== "check:copilot") {
  fail(
    `Unknown command "${command || ""}".`,
    "There are: node bootstrap.mjs start [options] | test [options] | check:copilot [options]",
  );
}

process.env.TURBO_TELEMETRY_DISABLED = "1";
void begin();

async function begin() {
  try {
    process.exitCode = await main();
  } catch (error) {
    fail(error.message, "If it stays: remove node_modules and run the same command again.");
  }
}

async function main() {
  await install();
  if (command === "start") {
    // Compiled code of the last start halves what the runner needs until its first word.
    const cache = { NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "node") };
    const runner = join(root, "packages", "copilot-local", "cli.ts");
    return run(nodeFile(), [runner, ...args], Object.assign({}, process.env, cache));
  }
  if (command === "check:copilot") {
    return run(nodeFile(), [join(root, "packages", "copilot-check", "cli.ts"), "check", ...args]);
  }
  // Gone, so that a package whose tests did not even begin is not counted with those of last time; turbo brings back
  // what it has in its cache.
  for (const file of resultFiles()) rmSync(file, { force: true });
  // Through npx, because turbo looks for pnpm on the PATH, and npx puts it there.
  const code = await run("npx", ["--yes", "pnpm@12", "run", "test:all", ...args]);
  const failed = printTotals();
  return code === 0 && failed > 0 ? 1 : code;
}

/** Runs `pnpm install` unless nothing that it depends on has changed since the last time. */
async function install() {
  const stamp = stampOf();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp && existsSync(join(bin, "node")))
    return;
  console.log("Installs what is missing (the first time takes about half a minute) …");
  // Without CI pnpm would ask before it removes a node_modules of another version, and nobody may be there to answer.
  const env = Object.assign({}, process.env, { CI: "true" });
  const code = await run("npx", ["--yes", "pnpm@12", "install", "--frozen-lockfile"], env);
  if (code !== 0) {
    fail(
      `pnpm install ended with exit code ${code}.`,
      "Its message is above. If pnpm-lock.yaml does not fit the package.json files: npx pnpm@12 install",
    );
  }
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stampOf());
}

function stampOf() {
  const hash = createHash("sha256");
  for (const file of [
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "package.json",
    ...packages().map(manifestOf),
  ]) {
    if (existsSync(join(root, file))) hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

function manifestOf(folder) {
  return join(folder, "package.json");
}

/** The folders of the workspace's packages: `- packages/*` in pnpm-workspace.yaml. */
function packages() {
  const patterns =
    readFileSync(join(root, "pnpm-workspace.yaml"), "utf8").match(/^ {2}- [\w-]+\/\*$/gm) || [];
  return patterns
    .map((line) => line.slice(4, -2))
    .filter((parent) => existsSync(join(root, parent)))
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name)))
    .filter((folder) => existsSync(join(root, manifestOf(folder))))
    .sort();
}

/** The Node of node_modules itself, not a script that stands for it: signals must reach it. */
function nodeFile() {
  const folder = join(realpathSync(join(root, "node_modules", "node")), "bin");
  return join(folder, process.platform === "win32" ? "node.exe" : "node");
}

function resultFiles() {
  return packages().map((folder) => join(root, folder, "node_modules", ".cache", "vitest", "results.json"));
}

/** Sums up what vitest wrote for each package, cached runs included. Returns the number of failed tests. */
function printTotals() {
  let passed = 0;
  let failed = 0;
  for (const file of resultFiles()) {
    if (!existsSync(file)) continue;
    const results = JSON.parse(readFileSync(file, "utf8"));
    passed += results.numPassedTests;
    failed += results.numFailedTests;
    // A file that cannot even be loaded has no failed test to count.
    if (results.numFailedTests === 0 && results.success === false) failed += results.numFailedTestSuites || 1;
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed;
}

/** Runs a program to its end, in this terminal. Signals go on to it; it ends when what started us is gone. */
function run(program, parameters, env = process.env) {
  const child = spawn(program, parameters, {
    cwd: root,
    env,
    stdio: "inherit",
    shell: process.platform === "win32" && program === "npx",
  });
  const forward = (signal) => child.kill(signal);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  // npm dies of a SIGTERM and tells nobody.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (parent !== 1 && process.ppid !== parent) forward("SIGTERM");
  }, 300);
  return new Promise((done) => {
    const end = (code) => {
      clearInterval(watch);
      for (const signal of signals) process.off(signal, forward);
      done(code);
    };
    child.once("error", (error) => {
      console.error(`✘ ${program} cannot be started: ${error.message}`);
      end(1);
    });
    child.once("exit", (code, signal) => end(code === null ? (signal === "SIGINT" ? 130 : 1) : code));
  });
}

function fail(message, hint) {
  console.error(`✘ ${message}\n  ${hint}`);
  process.exit(1);
}
