import { realpathSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import type { Root } from "mdast";
import type { VFile } from "vfile";
import type { Config } from "./config.ts";
import { repositoryRoot } from "./git.ts";
import { openProject } from "./open.ts";
import type { Project } from "./project.ts";
import { lint } from "./remark.ts";
import { SetUpError } from "./set-up-error.ts";

export { type Config, defineConfig, type RuleLevel, type RuleSetting } from "./config.ts";
export type { Args, Claim, CommandProblem as Problem, FactProvider, Facts, Sourced } from "./facts.ts";
export type { Finding, Severity } from "./finding.ts";
export type { Project } from "./project.ts";

/** In an editor the plugin runs at every key: git is asked again at most twice a second. */
const fresh = 500;

/**
 * The remark plugin: the rules of `claude-md check` on the one document that remark sees.
 *
 * @param options settings that win over those of `claude-md.config.ts`.
 */
export default function remarkLintClaudeMd(
  options: Partial<Config> = {},
): (tree: Root, file: VFile) => Promise<void> {
  const projects = new Map<string, { since: number; project: Promise<Project> }>();
  const projectAt = (root: string): Promise<Project> => {
    const known = projects.get(root);
    if (known && Date.now() - known.since < fresh) return known.project;
    const project = openProject(root, { overrides: options });
    projects.set(root, { since: Date.now(), project });
    return project;
  };
  const roots = new Map<string, string>();
  const rootOf = (dir: string): string => {
    let root = roots.get(dir);
    if (root === undefined) roots.set(dir, (root = repositoryRoot(dir)));
    return root;
  };
  return async (tree, file) => {
    if (file.path === undefined) return;
    const absolute = resolve(file.cwd, file.path);
    try {
      const dir = realpathSync(dirname(absolute));
      const root = rootOf(dir);
      const path = relative(realpathSync(root), resolve(dir, absolute.slice(dirname(absolute).length + 1)));
      lint(tree, file, path.split(sep).join("/").normalize("NFC"), await projectAt(root));
    } catch (error) {
      if (!(error instanceof SetUpError)) throw error;
      const message = file.message(error.message, { source: "remark-lint", ruleId: "claude-md-set-up" });
      message.fatal = true;
    }
  };
}
