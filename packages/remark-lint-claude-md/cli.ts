#!/usr/bin/env node
import { realpathSync, writeFileSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { openCache } from "./cache.ts";
import { check } from "./check.ts";
import type { Finding } from "./finding.ts";
import { repositoryRoot } from "./git.ts";
import { didYouMean } from "./names.ts";
import { openProject } from "./open.ts";
import { isWithin } from "./paths.ts";
import type { Project } from "./project.ts";
import { reportJson } from "./report-json.ts";
import { reportPretty } from "./report-pretty.ts";
import { SetUpError } from "./set-up-error.ts";

const usage = `Usage: claude-md check [paths] [options]

Checks that every directory has a document, complete and true.
Paths narrow the report to these directories and files.

  --config <file>             the configuration (default: claude-md.config.ts or .mjs in the repository's root)
  --tracked                   leaves out files that git does not track yet
  --no-cache                  parses every document again
  --max-warnings <n>          fails when there are more warnings
  --reporter <name[:file]>    pretty (default) or json; may be repeated

Exit code: 0 clean, 1 findings, 2 the set-up is broken.
`;

const reporters: Record<string, (findings: readonly Finding[], documents: number) => string> = {
  pretty: reportPretty,
  json: reportJson,
};

/** Runs the command; findings go to stdout, everything else to stderr. Returns the exit code. */
async function main(args: string[], cwd: string): Promise<number> {
  const { values, positionals } = readArguments(args);
  const [command, ...given] = positionals;
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (command !== "check")
    throw new SetUpError(
      command === undefined
        ? `No command was given.\n\n${usage}`
        : `\`${command}\` is not a command${didYouMean(command, ["check"])}.\n\n${usage}`,
    );
  const limit = values["max-warnings"] === undefined ? Infinity : Number(values["max-warnings"]);
  if (!(limit >= 0)) throw new SetUpError("`--max-warnings` must be a number from 0.");
  const outputs = (values.reporter ?? ["pretty"]).map(reporterOf);

  const root = repositoryRoot(cwd);
  const cache = openCache(values["no-cache"] ? undefined : root);
  const project = await openProject(root, {
    cache,
    tracked: values.tracked ?? false,
    config: values.config === undefined ? undefined : resolve(cwd, values.config),
  });
  const paths = given.length === 0 ? [""] : given.map((path) => repositoryPath(path, root, cwd, project));
  const findings = check(project, paths);
  cache.save(paths.includes(""));
  const documents = project.dirs.filter(
    (dir) => project.documented(dir) && paths.some((path) => isWithin(project.docPath(dir), path)),
  ).length;
  for (const { report, file } of outputs) {
    const text = report(findings, documents);
    if (file === undefined) process.stdout.write(text);
    else writeFileSync(resolve(cwd, file), text);
  }
  const errors = findings.filter(({ severity }) => severity === "error").length;
  return errors > 0 || findings.length - errors > limit ? 1 : 0;
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        config: { type: "string" },
        tracked: { type: "boolean" },
        "max-warnings": { type: "string" },
        "no-cache": { type: "boolean" },
        reporter: { type: "string", multiple: true },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new SetUpError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

function reporterOf(given: string): { report: (typeof reporters)[string]; file: string | undefined } {
  const colon = given.indexOf(":");
  const name = colon === -1 ? given : given.slice(0, colon);
  const report = Object.hasOwn(reporters, name) ? reporters[name] : undefined;
  if (!report)
    throw new SetUpError(
      `\`${name}\` is not a reporter${didYouMean(name, Object.keys(reporters))}; known are ${Object.keys(reporters).join(", ")}.`,
    );
  return { report, file: colon === -1 ? undefined : given.slice(colon + 1) };
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

try {
  process.exitCode = await main(process.argv.slice(2), process.cwd());
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`claude-md: ${error.message}\n`);
  process.exitCode = 2;
}
