#!/usr/bin/env node
import { realpathSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { type Cache, openCache } from "./cache.ts";
import { checkCommand } from "./command-check.ts";
import { coverageCommand } from "./command-coverage.ts";
import { fixCommand } from "./command-fix.ts";
import { scaffoldCommand } from "./command-scaffold.ts";
import { documentationOf } from "./documentation.ts";
import { repositoryRoot } from "./git.ts";
import { didYouMean } from "./names.ts";
import { openProject } from "./open.ts";
import type { Project } from "./project.ts";
import { type RuleName, rules } from "./rules.ts";
import { SetUpError } from "./set-up-error.ts";
import { factsText } from "./show-facts.ts";

const usage = `Usage: claude-md <command> [paths] [options]

  check [paths]       every directory has a document, complete and true; paths narrow the report
  fix [paths]         applies what is safe to fix
  scaffold [dirs]     writes missing documents from their templates, to be filled in
  coverage            how many directories have a document, and a clean one
  facts <dir>         what is known of a directory, and where that stands
  explain [rule]      what a rule finds, with examples

All of them:
  --config <file>           the configuration (default: claude-md.config.ts or .mjs in the repository's root)
  --tracked                 leaves out files that git does not track yet
  --no-cache                parses every document again
check:
  --max-warnings <n>        fails when there are more warnings
  --reporter <name[:file]>  pretty (default), json, github or sarif; may be repeated
fix:
  --suggest                 applies guesses, too: read the change
  --dry-run                 prints the change instead; exit code 1 if there is one
coverage:
  --fail-under <percent>    exit code 1 below it
  --json                    for machines
  --badge <file.svg>        writes a picture of the percentage

Exit code: 0 clean, 1 findings, 2 the set-up is broken.
`;

/** What the commands get: options as they were typed, the project, and paths relative to the repository. */
export interface Call {
  cwd: string;
  root: string;
  options: ReturnType<typeof readArguments>["values"];
  cache: Cache;
  /** The project, with these texts in place of the files'. */
  open: (texts?: ReadonlyMap<string, string>) => Promise<Project>;
  /** The paths that were given, the root when there were none. */
  paths: (project: Project) => string[];
}

const commands: Record<string, (call: Call) => Promise<number>> = {
  check: checkCommand,
  fix: fixCommand,
  scaffold: scaffoldCommand,
  coverage: coverageCommand,
  facts: factsCommand,
};

/** Runs the command; results go to stdout, everything else to stderr. Returns the exit code. */
async function main(args: string[], cwd: string): Promise<number> {
  const { values, positionals } = readArguments(args);
  const [name, ...given] = positionals;
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (name === "explain") return explain(given);
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command)
    throw new SetUpError(
      name === undefined
        ? `No command was given.\n\n${usage}`
        : `\`${name}\` is not a command${didYouMean(name, [...Object.keys(commands), "explain"])}.\n\n${usage}`,
    );
  const root = repositoryRoot(cwd);
  const cache = openCache(values["no-cache"] ? undefined : root);
  return command({
    cwd,
    root,
    options: values,
    cache,
    open: (texts) =>
      openProject(root, {
        cache,
        tracked: values.tracked ?? false,
        config: values.config === undefined ? undefined : resolve(cwd, values.config),
        ...(texts ? { texts } : {}),
      }),
    paths: (project) =>
      given.length === 0 ? [""] : given.map((path) => repositoryPath(path, root, cwd, project)),
  });
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        config: { type: "string" },
        tracked: { type: "boolean" },
        "no-cache": { type: "boolean" },
        "max-warnings": { type: "string" },
        reporter: { type: "string", multiple: true },
        suggest: { type: "boolean" },
        "dry-run": { type: "boolean" },
        "fail-under": { type: "string" },
        json: { type: "boolean" },
        badge: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new SetUpError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

async function factsCommand({ open, paths }: Call): Promise<number> {
  const project = await open();
  for (const path of paths(project)) {
    if (project.kind(path) === "file")
      throw new SetUpError(`\`${path}\` is a file; facts are of directories.`);
    process.stdout.write(factsText(path, project));
  }
  return 0;
}

function explain(given: string[]): number {
  const known = Object.keys(rules);
  if (given.length === 0) {
    for (const name of known as RuleName[])
      process.stdout.write(`${name.padEnd(12)} ${documentationOf(name).trim().split("\n")[0]}\n`);
    return 0;
  }
  for (const each of given) {
    const name = each.replace(/^claude-md-/, "");
    if (!known.includes(name)) throw new SetUpError(`\`${each}\` is not a rule${didYouMean(name, known)}.`);
    process.stdout.write(`# claude-md-${name}\n\n${documentationOf(name as RuleName).trim()}\n`);
  }
  return 0;
}

/** A path as the user typed it, relative to the repository. */
function repositoryPath(given: string, root: string, cwd: string, project: Project): string {
  const path = relative(realpathSync(root), resolve(realpathSync(cwd), given))
    .split(sep)
    .join("/")
    .normalize("NFC");
  const known = path === "" || project.kind(path) !== undefined || project.config.required.includes(path);
  if (path.startsWith("../") || !known)
    throw new SetUpError(`\`${given}\` is not a path that git knows in \`${root}\`.`);
  return path;
}

// `claude-md check | head` has read enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  process.exitCode = await main(process.argv.slice(2), process.cwd());
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`claude-md: ${error.message}\n`);
  process.exitCode = 2;
}
