import { type CommandProblem, isPlaceholder, unexpected } from "./command-problem.ts";
import type { Model } from "./model.ts";
import { type Package, readTasks } from "./packages.ts";
import { parentOf } from "./tree.ts";

/** Commands of pnpm and npm themselves; another word is a script, or a program of a dependency. */
const own = new Set(
  (
    "add install i update up upgrade remove rm uninstall link unlink import rebuild rb prune fetch patch patch-commit " +
    "patch-remove dedupe audit list ls ll la outdated why licenses exec x dlx create init publish pack store root bin " +
    "config c set get env setup deploy doctor cat-file cat-index find-hash approve-builds ignored-builds self-update " +
    "server help version view info show search login logout whoami ci cache pkg fund runtime"
  ).split(" "),
);

/** Scripts and filters of pnpm, scripts of npm, tasks of turbo; `npx pnpm@12 …` is pnpm. */
export function scriptProblem(
  model: Model,
  program: string,
  words: readonly string[],
  dir: string,
): CommandProblem | undefined {
  if (program === "npx" || program === "corepack") {
    const index = words.findIndex((word) => !word.startsWith("-"));
    const called = words[index]?.replace(/@.*$/, "");
    return called === "pnpm" || called === "turbo" || called === "copilot"
      ? shifted(scriptProblem(model, called, words.slice(index + 1), dir), index + 1)
      : undefined;
  }
  if (program === "pnpm") return pnpmProblem(model, words, dir);
  if (program === "npm") return npmProblem(model, words, dir);
  if (program === "turbo") return turboProblem(model, words);
  return undefined;
}

function shifted(problem: CommandProblem | undefined, by: number): CommandProblem | undefined {
  return problem?.word === undefined ? problem : { ...problem, word: problem.word + by };
}

function pnpmProblem(model: Model, words: readonly string[], dir: string): CommandProblem | undefined {
  const all = [...model.packages.values()];
  let chosen: Package[] | undefined;
  let index = 0;
  let recursive = false;
  for (; index < words.length; index++) {
    const word = words[index] ?? "";
    if (!word.startsWith("-")) break;
    const [name = "", given] = word.split(/=(.*)/s);
    if (["-r", "--recursive"].includes(name)) recursive = true;
    if (["-C", "--dir", "--reporter", "--workspace-concurrency"].includes(name) && given === undefined) {
      if (name === "-C" || name === "--dir") return undefined;
      index++;
    }
    if (["-w", "--workspace-root"].includes(name)) chosen = all.filter((each) => each.dir === "");
    if (!["-F", "--filter", "--filter-prod"].includes(name)) continue;
    const at = given === undefined ? ++index : index;
    const filter = given ?? words[at] ?? "";
    const found = filtered(all, filter);
    if (found === undefined) return undefined;
    if (found.length === 0)
      return unexpected(
        "filter",
        "filter",
        bare(filter),
        all.map((each) => each.name),
        at,
        "pnpm-workspace.yaml",
      );
    chosen = [...(chosen ?? []), ...found];
  }
  const packages = chosen ?? (recursive ? all : around(model, dir));
  return runProblem(model, packages, words, index);
}

/** The packages that pnpm runs a script of, when it is called in `dir` or, as documents have it, in the root. */
function around({ packages }: Model, dir: string): Package[] {
  const found = new Set<Package>();
  for (let at = dir; ; at = parentOf(at)) {
    const nearest = packages.get(at);
    if (nearest) found.add(nearest);
    if (at === "") return [...found];
  }
}

/** Undefined when it cannot be judged. */
function filtered(packages: readonly Package[], filter: string): Package[] | undefined {
  const name = bare(filter);
  // Negations and changes since a commit leave packages out.
  if (/^!|\[/.test(filter)) return undefined;
  if (/^\.{1,2}(?:\/|$)/.test(name)) {
    const folder = name.replace(/^\.\/?/, "");
    const test = glob(folder);
    return packages.filter(({ dir }) => test.test(dir) || (folder === "" && dir === ""));
  }
  if (/[<>$…]|[^\p{ASCII}]/u.test(name)) return undefined;
  const test = glob(name);
  const unscoped = glob(`@*/${name}`);
  return packages.filter((each) => test.test(each.name) || unscoped.test(each.name));
}

/** Without the dots that take dependencies and dependents in, and without the braces of a folder. */
function bare(filter: string): string {
  return filter
    .replace(/^\.\.\.\^?/, "")
    .replace(/\^?\.\.\.$/, "")
    .replace(/^\{(.*)\}$/, "$1");
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("**", "\0")
    .replaceAll("*", "[^/]*")
    .replaceAll("\0", ".*");
  return new RegExp(`^${source}$`);
}

function npmProblem(model: Model, words: readonly string[], dir: string): CommandProblem | undefined {
  const index = words.findIndex((word) => !word.startsWith("-"));
  const word = words[index];
  // Unlike pnpm, npm runs scripts of these names only without `run`.
  if (word === undefined || !["run", "run-script", "start", "test", "t", "stop", "restart"].includes(word))
    return undefined;
  const named = word === "t" ? "test" : word;
  const script = named.startsWith("run") ? words[index + 1] : named;
  if (script === undefined || script.startsWith("-")) return undefined;
  return missing(around(model, dir), script, named.startsWith("run") ? index + 1 : index);
}

function runProblem(
  model: Model,
  packages: readonly Package[],
  words: readonly string[],
  from: number,
): CommandProblem | undefined {
  const word = words[from];
  if (word === undefined) return undefined;
  if (word === "run" || word === "run-script") {
    const script = words.findIndex((each, index) => index > from && !each.startsWith("-"));
    return script === -1 ? undefined : missing(packages, words[script] ?? "", script);
  }
  if (own.has(word)) return undefined;
  const tools = [...packages, model.packages.get("")].flatMap((each) => each?.tools ?? []);
  const bins = [...model.packages.values()].flatMap((each) => each.bins);
  if ([...tools, ...bins, "tsc", "vitest"].includes(word)) return undefined;
  return missing(packages, word === "t" ? "test" : word, from);
}

function missing(packages: readonly Package[], script: string, index: number): CommandProblem | undefined {
  if (isPlaceholder(script)) return undefined;
  const known = [...new Set(packages.flatMap(({ scripts }) => scripts))];
  if (known.includes(script)) return undefined;
  const [nearestPackage] = packages;
  const related = nearestPackage && `${nearestPackage.file}:${nearestPackage.line("scripts")}`;
  return unexpected("script", "script", script, known, index, related);
}

function turboProblem(model: Model, words: readonly string[]): CommandProblem | undefined {
  const known = readTasks(model.tree);
  if (!known) return undefined;
  let index = words[0] === "run" ? 1 : 0;
  if (
    index === 0 &&
    /^(?:ls|prune|watch|query|info|login|link|daemon|gen|scan|telemetry|boundaries)$/.test(words[0] ?? "")
  )
    return undefined;
  const scripts = new Set([...model.packages.values()].flatMap((each) => each.scripts));
  for (; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "--") return undefined;
    if (word.startsWith("-")) {
      if (["--filter", "-F", "--concurrency", "--cwd"].includes(word)) index++;
      continue;
    }
    const task = word.replace(/^.*#/, "");
    if (isPlaceholder(task) || known.tasks.includes(task)) continue;
    return unexpected(
      "script",
      "task",
      task,
      known.tasks.filter((each) => scripts.has(each)),
      index,
      known.file,
    );
  }
  return undefined;
}
