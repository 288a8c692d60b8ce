import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { buildPackage } from "remark-lint-claude-md/build";
import { editorLatency } from "./editor.ts";
import { commit, generate } from "./generate.ts";

/** Fastest wall time and processor time in ms, and smallest peak memory in MB, of one way to run. */
interface Measure {
  ms: number;
  cpu: number;
  mb: number;
}

interface Run {
  name: string;
  command: string[];
  /** Before each round. */
  prepare?: () => void;
  /** The exit codes of a run that did its work. */
  codes?: number[];
}

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000" },
    rounds: { type: "string", default: "5" },
    remark: { type: "boolean", default: false },
    editor: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), "docs-lint-bench-"));

/** One fresh process, start-up included; its peak memory is written by `peak.mjs` as it exits. */
function measure(run: Run, cwd: string): Measure {
  run.prepare?.();
  const peak = join(folder, "peak");
  rmSync(peak, { force: true });
  const start = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--import", join(here, "peak.mjs"), ...run.command],
    { cwd, env: { ...process.env, PEAK_FILE: peak }, encoding: "utf8", maxBuffer: 2 ** 30 },
  );
  const ms = performance.now() - start;
  if (status === null || !(run.codes ?? [0]).includes(status))
    throw new Error(`${run.name} ended with ${status}:\n${stderr.slice(0, 2000)}`);
  const [kb = NaN, cpu = NaN] = readFileSync(peak, "utf8").split(" ").map(Number);
  return { ms, cpu, mb: kb / 1024 };
}

/** Interleaved rounds, so that a busy moment hits every candidate; the fastest of each counts. */
function measureAll(runs: Run[], cwd: string, rounds: number): Map<string, Measure> {
  const best = new Map<string, Measure>();
  for (let round = 0; round < rounds; round++)
    for (const run of runs) {
      const { ms, cpu, mb } = measure(run, cwd);
      const known = best.get(run.name) ?? { ms: Infinity, cpu: Infinity, mb: Infinity };
      best.set(run.name, {
        ms: Math.min(ms, known.ms),
        cpu: Math.min(cpu, known.cpu),
        mb: Math.min(mb, known.mb),
      });
    }
  return best;
}

/** Builds the package that users install, below a `node_modules` of its own. */
async function install(): Promise<string> {
  const out = join(folder, "node_modules/remark-lint-claude-md");
  mkdirSync(dirname(out), { recursive: true });
  await buildPackage(out, "0.0.0", { declarations: false });
  const own = join(here, "../../packages/remark-lint-claude-md/node_modules");
  symlinkSync(own, join(out, "node_modules"));
  return out;
}

/** A ratio of wall times or memory, and of processor times: those are calm on a busy machine. */
interface Result {
  size: number;
  what: string;
  ratio: number;
  cpu?: number;
  bar: number;
}

const results: Result[] = [];
const peaks = new Map<number, number>();
try {
  const installed = await install();
  const cli = join(installed, "cli.js");
  for (const size of values.sizes.split(",").map(Number)) {
    const root = join(folder, String(size));
    commit(generate(size), root);
    mkdirSync(join(root, "node_modules"));
    writeFileSync(join(root, ".git/info/exclude"), "node_modules\n");
    const cache = join(root, "node_modules/.cache");
    const edited = join(root, "CLAUDE.md");
    let edit = 0;
    const runs: Run[] = [
      { name: "floor: hash", command: [join(here, "floor.ts"), "hash"] },
      { name: "floor: parse", command: [join(here, "floor.ts"), "parse"] },
      {
        name: "check, cold",
        command: [cli, "check"],
        prepare: () => rmSync(cache, { recursive: true, force: true }),
      },
      { name: "check, warm", command: [cli, "check"] },
      {
        name: "check, one edited",
        command: [cli, "check"],
        prepare: () =>
          writeFileSync(edited, readFileSync(edited, "utf8").replace(/は\d+番/u, `は${edit++}番`)),
      },
    ];
    const best = measureAll(runs, root, Number(values.rounds));
    print(size, best);
    const of = (name: string): Measure => best.get(name) ?? { ms: NaN, cpu: NaN, mb: NaN };
    const parse = of("floor: parse");
    peaks.set(size, of("check, cold").mb);
    results.push(
      {
        size,
        what: "cold / parse floor",
        ratio: of("check, cold").ms / parse.ms,
        cpu: of("check, cold").cpu / parse.cpu,
        bar: size < 5000 ? 1.5 : 1.25,
      },
      {
        size,
        what: "warm / hash floor",
        ratio: of("check, warm").ms / of("floor: hash").ms,
        cpu: of("check, warm").cpu / of("floor: hash").cpu,
        bar: 3,
      },
      {
        size,
        what: "one edited / warm",
        ratio: of("check, one edited").ms / of("check, warm").ms,
        cpu: of("check, one edited").cpu / of("check, warm").cpu,
        bar: 1.2,
      },
      { size, what: "peak memory, cold / parse floor", ratio: of("check, cold").mb / parse.mb, bar: 2 },
    );
    if (values.remark && size <= 1000) results.push(underRemark(size, root, installed));
    fewFiles(size, root, cli, cache);
  }
  if (values.editor) results.push(await inEditor(1500, installed));
  const [small, large] = [peaks.get(1000), peaks.get(10000)];
  if (small !== undefined && large !== undefined)
    results.push({ size: 10000, what: "peak memory, cold / that at 1,000", ratio: large / small, bar: 3 });
  for (const { size, what, ratio, cpu, bar } of results)
    process.stdout.write(
      `${String(size).padStart(6)}  ${what.padEnd(40)} ${ratio.toFixed(2).padStart(6)}  (bar ${bar}) ${ratio <= bar ? "✔" : "✘"}${cpu === undefined ? "" : `  processor ${cpu.toFixed(2)} ${cpu <= bar ? "✔" : "✘"}`}\n`,
    );
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Passes with 64 open files, cold and warm, or throws. */
function fewFiles(size: number, root: string, cli: string, cache: string): void {
  rmSync(cache, { recursive: true, force: true });
  for (const state of ["cold", "warm"]) {
    const { status, stdout, stderr } = spawnSync(
      "bash",
      ["-c", 'ulimit -n 64; exec "$@"', "-", process.execPath, cli, "check"],
      { cwd: root, encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`with 64 open files, ${state}: ${status}\n${stdout}${stderr}`);
    process.stdout.write(`${String(size).padStart(6)}  64 open files, ${state}: passes\n`);
  }
}

/** From a key to its diagnostics, with our plugin and without. */
async function inEditor(size: number, installed: string): Promise<Result> {
  const root = join(folder, "editor");
  commit(generate(size), root);
  const lint = JSON.stringify(join(here, "node_modules/remark-lint/index.js"));
  const ours = JSON.stringify(join(installed, "index.js"));
  const measured: number[] = [];
  for (const plugins of [lint, `${lint}, ${ours}`]) {
    writeFileSync(join(root, ".remarkrc.mjs"), `export default { plugins: [${plugins}] };\n`);
    const { fastest, median } = await editorLatency(root, 40);
    process.stdout.write(
      `${String(size).padStart(6)}  editor, ${measured.length === 0 ? "without" : "with"} ours: fastest ${fastest.toFixed(1)} ms, median ${median.toFixed(1)} ms\n`,
    );
    measured.push(median);
  }
  return { size, what: "editor: ms from change to diagnostics", ratio: measured[1] ?? NaN, bar: 30 };
}

/** Plain remark-cli with the preset, against the same plugins without ours. */
function underRemark(size: number, root: string, installed: string): Result {
  const modules = join(here, "node_modules");
  const remark = join(modules, "remark-cli/cli.js");
  const config = (name: string, plugins: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `export default { plugins: [${plugins}] };\n`);
    return path;
  };
  const plugin = (name: string): string => JSON.stringify(join(modules, name, "index.js"));
  const others = `${plugin("remark-lint")}, ${plugin("remark-preset-lint-recommended")}, [${plugin("remark-validate-links")}, { repository: false }]`;
  const run = (name: string, rc: string): Run => ({
    name,
    command: [
      remark,
      ".",
      "--quiet",
      "--no-stdout",
      "--no-config",
      "--rc-path",
      rc,
      "--ignore-pattern",
      "template.md",
    ],
    codes: [0, 1],
  });
  const best = measureAll(
    [
      run("remark, without ours", config("without.mjs", others)),
      run(
        "remark, with ours",
        config("with.mjs", `${others}, ${JSON.stringify(join(installed, "index.js"))}`),
      ),
    ],
    root,
    3,
  );
  print(size, best);
  const of = (name: string, key: "ms" | "cpu"): number => best.get(name)?.[key] ?? NaN;
  return {
    size,
    what: "remark-cli with ours / without",
    ratio: of("remark, with ours", "ms") / of("remark, without ours", "ms"),
    cpu: of("remark, with ours", "cpu") / of("remark, without ours", "cpu"),
    bar: 1.3,
  };
}

function print(size: number, best: Map<string, Measure>): void {
  for (const [name, { ms, cpu, mb }] of best)
    process.stdout.write(
      `${String(size).padStart(6)}  ${name.padEnd(24)} ${ms.toFixed(0).padStart(7)} ms ${cpu.toFixed(0).padStart(7)} ms processor ${mb.toFixed(0).padStart(5)} MB\n`,
    );
}
