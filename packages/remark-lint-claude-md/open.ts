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
    /** Stand in place of the files' own. */
    texts?: ReadonlyMap<string, string>;
  } = {},
): Promise<Project> {
  const config = await loadConfig(root, options.config, options.overrides);
  const source = gitSource(root, { tracked: options.tracked ?? false });
  const { texts } = options;
  const project = createProject(
    texts ? { ...source, read: (path) => texts.get(path.normalize("NFC")) ?? source.read(path) } : source,
    config,
    (options.cache ?? openCache()).factsOf,
  );
  config.proveUsed(project.allDirs);
  return project;
}
