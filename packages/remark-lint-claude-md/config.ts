import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import picomatch from "picomatch";
import type { FactProvider } from "./facts.ts";
import type { Severity } from "./finding.ts";
import { didYouMean } from "./names.ts";
import { resolveFrom } from "./paths.ts";
import { type RuleName, type RuleOptions, rules } from "./rules.ts";
import { SetUpError } from "./set-up-error.ts";
import { loadTemplate, type ReadTemplate, type Template } from "./template.ts";

export type RuleLevel = Severity | "off";

/** A level, or a level with options. */
export type RuleSetting<Name extends RuleName> =
  | RuleLevel
  | [level: RuleLevel, options?: Partial<RuleOptions[Name]>];

/** `claude-md.config.ts` or `.mjs` in the repository's root. */
export interface Config {
  /** The name of the documents, `CLAUDE.md` by default. */
  file?: string;
  /** Directories that owe no document, each with its reason. */
  exclude?: { files: string[]; reason: string }[];
  /** Directories that must exist and be documented; no section may say there that it does not apply. */
  required?: string[];
  /** Which template a directory follows; the last match wins. `x/**` includes `x` itself, the root matches `**`. */
  templates: { files: string[]; template: string }[];
  rules?: { [Name in RuleName]?: RuleSetting<Name> };
  /** Whether `<!--lint disable …-->` may silence a rule: `allow` by default. */
  disable?: "allow" | "error";
  /** Who knows the facts that documents are bound to. */
  facts?: FactProvider[];
}

/** A validated configuration with its templates loaded. */
export interface ResolvedConfig {
  file: string;
  required: readonly string[];
  facts: readonly FactProvider[];
  disable: "allow" | "error";
  excluded(dir: string): boolean;
  exclusions: readonly { files: string[]; reason: string; matches: (dir: string) => boolean }[];
  template(dir: string): Template;
  rule(name: RuleName): { level: RuleLevel; options: object };
  /** Globs that must match a directory and templates that must be used, proved by `proveUsed`. */
  proveUsed(dirs: Iterable<string>): void;
}

/** Types a configuration file. */
export function defineConfig(config: Config): Config {
  return config;
}

const keys: (keyof Config)[] = ["file", "exclude", "required", "templates", "rules", "facts", "disable"];

/**
 * Validates `config` and loads its templates.
 *
 * @param from the directory of the configuration file, relative to the repository; templates resolve from it.
 * @throws SetUpError that names the key.
 */
export function resolveConfig(config: Config, read: ReadTemplate, from = ""): ResolvedConfig {
  const fail = (message: string): never => {
    throw new SetUpError(`The configuration is wrong: ${message}`);
  };
  if (typeof config !== "object" || config === null)
    fail("it must export an object by default; write `export default defineConfig({ … })`.");
  for (const key of Object.keys(config))
    if (!keys.includes(key as keyof Config)) fail(`\`${key}\` is not a setting${didYouMean(key, keys)}.`);
  if (!Array.isArray(config.templates) || config.templates.length === 0)
    fail(
      '`templates` must list at least one template, such as { files: ["**"], template: "docs/template.md" }.',
    );
  const file = config.file ?? "CLAUDE.md";
  if (typeof file !== "string" || file === "" || file.includes("/")) fail("`file` must be a file name.");
  for (const [name, setting] of Object.entries(config.rules ?? {})) validateRule(name, setting, fail);
  for (const dir of config.required ?? [])
    if (typeof dir !== "string" || resolveFrom("", dir) !== dir)
      fail(
        `\`required\` holds \`${dir}\`, which is not a directory's path from the root, such as \`workers/item\`.`,
      );
  if (config.disable !== undefined && config.disable !== "allow" && config.disable !== "error")
    fail('`disable` must be "allow" or "error".');
  for (const provider of config.facts ?? [])
    if (typeof provider?.name !== "string" || typeof provider.load !== "function")
      fail("`facts` must hold fact providers, such as `copilotFacts()`.");

  const settings = Object.fromEntries(
    Object.entries(rules).map(([name, { options: defaults, level: usual }]) => {
      const setting = config.rules?.[name as RuleName] ?? usual ?? "error";
      const [level, options] = Array.isArray(setting) ? setting : [setting, {}];
      return [name, { level, options: { ...defaults, ...options } }];
    }),
  ) as Record<RuleName, { level: RuleLevel; options: object }>;
  const globs: { pattern: string; owner: string; matches: (dir: string) => boolean }[] = [];
  const glob = (patterns: unknown, owner: string): ((dir: string) => boolean) => {
    if (!Array.isArray(patterns) || patterns.length === 0) return fail(`${owner} has no \`files\`.`);
    const matchers = patterns.map((pattern: unknown) => {
      if (typeof pattern !== "string" || pattern === "")
        return fail(`${owner} holds a glob that is not a string.`);
      const test = picomatch(pattern, { dot: true });
      const matches = (dir: string): boolean =>
        // Wildcards stop at a line's end, names need not.
        dir === "" ? pattern === "**" || pattern === "." : test(dir.replaceAll(/[\r\n]/g, " "));
      globs.push({ pattern, owner, matches });
      return matches;
    });
    return (dir) => matchers.some((matches) => matches(dir));
  };

  const excludes = (config.exclude ?? []).map(({ files, reason }) => {
    if (typeof reason !== "string" || reason.trim() === "") fail("an entry of `exclude` gives no `reason`.");
    return { files, reason, matches: glob(files, "`exclude`") };
  });
  const loaded = new Map<string, Template>();
  const templates = config.templates.map((entry) => {
    const path =
      resolveFrom(from, entry.template) ??
      fail(`the template \`${entry.template}\` lies outside the repository.`);
    let template = loaded.get(path);
    if (!template) loaded.set(path, (template = loadTemplate(path, read)));
    return {
      matches: glob(entry.files, `\`templates\` for ${entry.template}`),
      template,
      path: entry.template,
    };
  });
  const choose = (dir: string) => templates.findLast(({ matches }) => matches(dir));
  const required = new Set(config.required);
  const strict = new Map<Template, Template>();
  /** Where a directory is required, every section applies. */
  const withoutNa = (template: Template): Template => {
    let own = strict.get(template);
    if (!own) {
      own = { ...template, sections: template.sections.map((section) => ({ ...section, na: false })) };
      strict.set(template, own);
    }
    return own;
  };
  const excluded = (dir: string): boolean => excludes.some(({ matches }) => matches(dir));

  return {
    file,
    required: config.required ?? [],
    facts: config.facts ?? [],
    disable: config.disable ?? "allow",
    excluded,
    exclusions: excludes,
    template: (dir) => {
      const { template } =
        choose(dir) ??
        fail(
          `no template is given for \`${dir === "" ? "." : dir}\`. Begin \`templates\` with { files: ["**"], … }.`,
        );
      return required.has(dir) ? withoutNa(template) : template;
    },
    rule: (name) => settings[name],
    proveUsed: (dirs) => {
      const all = [...dirs];
      for (const { pattern, owner, matches } of globs)
        if (!all.some((dir) => matches(dir))) fail(`${owner}: the glob \`${pattern}\` matches no directory.`);
      const used = new Set(all.filter((dir) => !excluded(dir)).map((dir) => choose(dir)));
      for (const entry of templates)
        if (!used.has(entry))
          fail(`no directory follows the template \`${entry.path}\`; later entries take them all.`);
    },
  };
}

function validateRule(name: string, setting: unknown, fail: (message: string) => never): void {
  const known = Object.keys(rules);
  if (!known.includes(name)) fail(`\`rules.${name}\` is not a rule${didYouMean(name, known)}.`);
  const [level, options, ...rest] = Array.isArray(setting) ? (setting as unknown[]) : [setting];
  if (level !== "error" && level !== "warning" && level !== "off")
    fail(
      `\`rules.${name}\` is \`${String(level)}\`; a rule is "error", "warning" or "off", or an array that begins with one.`,
    );
  if (rest.length > 0) fail(`\`rules.${name}\` has more than a level and options.`);
  const defaults = rules[name as RuleName].options as Record<string, unknown>;
  for (const key of Object.keys(options ?? {}))
    if (!(key in defaults))
      fail(`\`rules.${name}\` has no option \`${key}\`${didYouMean(key, Object.keys(defaults))}.`);
}

/**
 * Loads the configuration of the repository at `root`: one file there, or the one that `path` names.
 * It is imported again after every edit.
 *
 * @param overrides settings that win over the file's; they may stand without a file.
 * @throws SetUpError when there is none, or it is wrong.
 */
export async function loadConfig(
  root: string,
  path?: string,
  overrides: Partial<Config> = {},
): Promise<ResolvedConfig> {
  const candidates = path === undefined ? ["claude-md.config.ts", "claude-md.config.mjs"] : [path];
  const file = candidates.map((name) => resolve(root, name)).find((name) => existsSync(name));
  const read: ReadTemplate = (template) => readTemplate(root, template);
  if (file === undefined && overrides.templates === undefined)
    throw new SetUpError(
      `There is no ${candidates.map((name) => `\`${name}\``).join(" or ")} in \`${root}\`. Write one: export default defineConfig({ templates: [{ files: ["**"], template: "docs/template.md" }] })`,
    );
  if (file === undefined) return resolveConfig(overrides as Config, read);
  let exported: { default?: Config };
  try {
    exported = (await import(`${pathToFileURL(file).href}?${statSync(file).mtimeMs}`)) as {
      default?: Config;
    };
  } catch (error) {
    throw new SetUpError(
      `\`${file}\` cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  const from = relative(root, dirname(file)).split(sep).join("/");
  return resolveConfig({ ...(exported.default as Config), ...overrides }, read, from);
}

function readTemplate(root: string, path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}
