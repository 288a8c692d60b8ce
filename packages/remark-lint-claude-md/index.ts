import { existsSync, realpathSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Root } from "mdast";
import type { VFile } from "vfile";
import { type Cache, openCache } from "./cache.ts";
import type { Config } from "./config.ts";
import { repositoryRoot } from "./git.ts";
import { openProject } from "./open.ts";
import type { Project } from "./project.ts";
import { lint } from "./remark.ts";
import { gatherAhead } from "./rules/repetition.ts";
import { SetUpError } from "./set-up-error.ts";

export { type Config, defineConfig, type RuleLevel, type RuleSetting } from "./config.ts";
export type { Args, Claim, CommandProblem as Problem, FactProvider, Facts, Sourced } from "./facts.ts";
export type { Finding, Severity } from "./finding.ts";
export type { Project } from "./project.ts";

/** What is known of a repository, and since when. */
interface Known {
  since: number;
  project: Promise<Project>;
  cache: Cache;
  /** Documents checked against this state. */
  seen: Set<string>;
  /** The next state is being read. */
  renewing: boolean;
  /** The cache was written by this process. */
  remembered: boolean;
}

/** In an editor the plugin runs at every key: git is asked again in the background, at most twice a second. */
const fresh = 500;

/** The nearest directory above `dir` (or itself) with a `.git`; `dir` when there is none. */
function topOf(dir: string): string {
  for (let top = dir; ; top = dirname(top)) {
    if (existsSync(join(top, ".git"))) return top;
    if (top === dirname(top)) return dir;
  }
}

/** While a command checks one document after the other, the state is kept longer. */
const stale = 5_000;

/** Repositories by their root, for one set of options. */
class Repositories {
  readonly options: Partial<Config>;
  readonly #known = new Map<string, Known>();
  readonly #roots = new Map<string, string>();

  constructor(options: Partial<Config>) {
    this.options = options;
  }

  /** The repository around `dir`. */
  rootOf(dir: string): string {
    // One question to git for each repository, not for each directory.
    const top = topOf(dir);
    let root = this.#roots.get(top);
    if (root === undefined) this.#roots.set(top, (root = realpathSync(repositoryRoot(top))));
    return root;
  }

  /** The state of a repository in which `path` is to be checked; renewed in the background. */
  project(root: string, path: string): Promise<Project> {
    let known = this.#known.get(root);
    if (!known) this.#known.set(root, (known = this.#open(root, openCache(root))));
    const age = Date.now() - known.since;
    // A document that comes again was edited: what is around it may have changed, too.
    if (!known.renewing && (age > stale || (age > fresh && known.seen.has(path)))) {
      known.renewing = true;
      const next = this.#open(root, known.cache);
      const renew = (): void => void this.#known.set(root, { ...next, since: Date.now() });
      next.project.then((project) => gatherAhead(project, breathe)).then(renew, renew);
    }
    known.seen.add(path);
    return known.project;
  }

  /** Keeps what the first document made us read, for the next process. */
  remember(root: string): void {
    const known = this.#known.get(root);
    if (!known || known.remembered) return;
    known.remembered = true;
    known.cache.save(false);
  }

  #open(root: string, cache: Cache): Known {
    const project = openProject(root, { overrides: this.options, cache });
    return {
      since: Date.now(),
      project,
      cache,
      seen: new Set<string>(),
      renewing: false,
      remembered: this.#known.has(root),
    };
  }
}

let worked = 0;

/** Lets whoever types go first, every few milliseconds. */
async function breathe(): Promise<void> {
  if (performance.now() - worked < 4) return;
  await new Promise((resolve) => setTimeout(resolve, 4));
  worked = performance.now();
}

// unified attaches a plugin anew for every file: what is known must outlive that.
const withoutOptions = new Repositories({});
const withOptions = new WeakMap<object, Repositories>();

function repositoriesFor(options: Partial<Config> | undefined): Repositories {
  if (options === undefined) return withoutOptions;
  let repositories = withOptions.get(options);
  if (!repositories) withOptions.set(options, (repositories = new Repositories(options)));
  return repositories;
}

/**
 * The remark plugin: the rules of `claude-md check` on the one document that remark sees.
 *
 * @param options settings that win over those of `claude-md.config.ts`.
 */
export default function remarkLintClaudeMd(
  options?: Partial<Config>,
): (tree: Root, file: VFile) => Promise<void> {
  const repositories = repositoriesFor(options);
  return async (tree, file) => {
    if (file.path === undefined) return;
    const absolute = resolve(file.cwd, file.path);
    try {
      const dir = realpathSync(dirname(absolute));
      const root = repositories.rootOf(dir);
      const path = relative(root, resolve(dir, absolute.slice(dirname(absolute).length + 1)));
      const known = path.split(sep).join("/").normalize("NFC");
      lint(tree, file, known, await repositories.project(root, known));
      repositories.remember(root);
    } catch (error) {
      if (!(error instanceof SetUpError)) throw error;
      const message = file.message(error.message, { source: "remark-lint", ruleId: "claude-md-set-up" });
      message.fatal = true;
    }
  };
}
