import { type Cache, openCache } from "./cache.ts";
import { type Config, loadConfig } from "./config.ts";
import { gitSource } from "./git.ts";
import { createProject, type Project } from "./project.ts";

/**
 * The project of the repository at `root`, as git and its configuration have it now.
 *
 * @throws SetUpError when the configuration, a template or git is broken.
 */
export async function openProject(
  root: string,
  options: {
    config?: string | undefined;
    tracked?: boolean;
    overrides?: Partial<Config>;
    cache?: Cache | undefined;
  } = {},
): Promise<Project> {
  const config = await loadConfig(root, options.config, options.overrides);
  const project = createProject(
    gitSource(root, { tracked: options.tracked ?? false }),
    config,
    (options.cache ?? openCache()).factsOf,
  );
  config.proveUsed(project.dirs);
  return project;
}
