import { type Cache, openCache } from "./cache.ts";
import { type Config, loadConfig } from "./config.ts";
import { gitSource } from "./git.ts";
import { nearest } from "./names.ts";
import { createProject, type Project } from "./project.ts";
import { SetUpError } from "./set-up-error.ts";

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
  proveKnown(project);
  return project;
}

/**
 * A fact or a block that is known of no directory, but nearly, is a slip of the template: it would bind nothing,
 * silently.
 *
 * @throws SetUpError that names it.
 */
function proveKnown(project: Project): void {
  const { facts, dirs } = project;
  if (!facts.some) return;
  const seen = new Set<string>();
  for (const dir of dirs)
    for (const { labels, blocks } of project.template(dir).sections)
      for (const asked of [
        ...labels.flatMap(({ fact }) => (fact === undefined ? [] : [{ kind: "fact", name: fact, args: [] }])),
        ...blocks.map((block) => ({ kind: "block", ...block })),
      ]) {
        const written = [asked.kind, asked.name, ...asked.args].join(" ");
        if (seen.has(written)) continue;
        seen.add(written);
        const isKnown = (each: string): boolean =>
          (asked.kind === "fact"
            ? facts.value(asked.name, each)
            : facts.block(asked.name, asked.args, each)) !== undefined;
        if (dirs.some(isKnown)) continue;
        const all = dirs.map((each) => facts.keys(each));
        const names =
          asked.kind === "fact"
            ? all.flatMap(({ values }) => values)
            : all.flatMap((keys) => keys.blocks.map(({ name }) => name));
        const meant = nearest(asked.name, new Set(names));
        // Without a name that is near, the workspace may just have none of these.
        if (meant !== undefined)
          throw new SetUpError(
            `\`${project.template(dir).path}\` asks for \`{{${written}}}\`, which no provider knows of any directory (did you mean \`${meant}\`?).`,
          );
      }
}
