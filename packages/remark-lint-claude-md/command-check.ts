import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { check } from "./check.ts";
import type { Call } from "./cli.ts";
import type { Finding } from "./finding.ts";
import { didYouMean } from "./names.ts";
import { isWithin } from "./paths.ts";
import { reportGithub } from "./report-github.ts";
import { reportJson } from "./report-json.ts";
import { reportPretty } from "./report-pretty.ts";
import { reportSarif } from "./report-sarif.ts";
import { SetUpError } from "./set-up-error.ts";

type Report = (findings: readonly Finding[], documents: number) => string;

const reporters: Record<string, Report> = {
  pretty: reportPretty,
  json: reportJson,
  github: reportGithub,
  sarif: reportSarif,
};

/** Checks, reports, and answers with the exit code. */
export async function checkCommand({ cwd, options, cache, open, paths }: Call): Promise<number> {
  const limit = options["max-warnings"] === undefined ? Infinity : Number(options["max-warnings"]);
  if (!(limit >= 0)) throw new SetUpError("`--max-warnings` must be a number from 0.");
  const usual = process.env.GITHUB_ACTIONS === "true" ? ["pretty", "github"] : ["pretty"];
  const outputs = (options.reporter ?? usual).map(reporterOf);

  const project = await open();
  const asked = paths(project);
  const findings = check(project, asked, progress());
  cache.save(asked.includes(""));
  const documents = project.dirs.filter(
    (dir) => project.documented(dir) && asked.some((path) => isWithin(project.docPath(dir), path)),
  ).length;
  for (const { report, file } of outputs) {
    const text = report(findings, documents);
    if (file === undefined) process.stdout.write(text);
    else writeFileSync(resolve(cwd, file), text);
  }
  const errors = findings.filter(({ severity }) => severity === "error").length;
  return errors > 0 || findings.length - errors > limit ? 1 : 0;
}

/** Says on stderr how far a long run has come, every five seconds. */
export function progress(): (done: number, of: number) => void {
  let next = performance.now() + 5_000;
  return (done, of) => {
    if (performance.now() < next) return;
    next = performance.now() + 5_000;
    process.stderr.write(`claude-md: ${done} of ${of} directories\n`);
  };
}

function reporterOf(given: string): { report: Report; file: string | undefined } {
  const colon = given.indexOf(":");
  const name = colon === -1 ? given : given.slice(0, colon);
  const report = Object.hasOwn(reporters, name) ? reporters[name] : undefined;
  if (!report)
    throw new SetUpError(
      `\`${name}\` is not a reporter${didYouMean(name, Object.keys(reporters))}; known are ${Object.keys(reporters).join(", ")}.`,
    );
  return { report, file: colon === -1 ? undefined : given.slice(colon + 1) };
}
