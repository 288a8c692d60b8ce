import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkDocument } from "./check.ts";
import { resolveConfig } from "./config.ts";
import { parse } from "./extract.ts";
import { compareStrings } from "./finding.ts";
import { gitSource } from "./git.ts";
import { parentOf } from "./paths.ts";
import { createProject, docOf } from "./project.ts";

// Holds `links` and `tree` against remark-validate-links on a checkout that nobody here wrote: every file and every
// heading that the other misses must be missed here, too; what only this one reports is for people to read.
//
//   node differential.ts <checkout> > report.txt

/** A finding by its place, so that two tools can be compared. */
interface Found {
  /** `path:line` */
  place: string;
  kind: string;
  message: string;
  source: string;
}

const [given = "."] = process.argv.slice(2);
const root = resolve(given);
const source = gitSource(root);
const project = createProject(
  source,
  resolveConfig(
    {
      templates: [{ files: ["**"], template: "template" }],
      rules: {
        title: "off",
        sections: "off",
        presence: "off",
        related: "off",
        placeholder: "off",
        size: "off",
      },
    },
    () => "# {{path}}\n",
  ),
  parse,
);
const paths = project.files.filter((path) => /\.(?:md|markdown)$/i.test(path));
const ours: Found[] = [];
const slow: [ms: number, path: string][] = [];
const failures: string[] = [];
for (const path of paths) {
  const start = performance.now();
  const text = project.read(path) ?? "";
  try {
    const doc = docOf(parentOf(path), path, text, parse);
    let findings = checkDocument(doc, project);
    project.settle();
    findings = checkDocument(doc, project);
    const lines = doc.text.split(/\r\n|\n|\r/);
    for (const { line, kind, message, ruleId } of findings)
      ours.push({
        place: `${path}:${line}`,
        kind: `${ruleId.replace("claude-md-", "")} ${kind}`,
        message,
        source: lines[line - 1] ?? "",
      });
  } catch (error) {
    failures.push(`${path}: ${error instanceof Error ? error.stack : String(error)}`);
  }
  slow.push([performance.now() - start, path]);
}

const theirs = byValidateLinks();
const places = new Set(ours.map(({ place }) => place));
const known = new Set(theirs.map(({ place }) => place));
const onlyTheirs = theirs.filter(({ place }) => !places.has(place));
const onlyOurs = ours.filter(({ place }) => !known.has(place));

const say = (text: string): void => void process.stdout.write(`${text}\n`);
say(`${paths.length} files; exceptions: ${failures.length}`);
failures.forEach(say);
slow.sort((a, b) => b[0] - a[0]);
say(
  `slowest: ${slow
    .slice(0, 3)
    .map(([ms, path]) => `${ms.toFixed(0)} ms ${path}`)
    .join(", ")}`,
);
say(`remark-validate-links: ${theirs.length} findings, ${onlyTheirs.length} of them not ours`);
for (const { place, kind, message } of onlyTheirs) say(`  ${place} ${kind} ${message}`);
say(`ours: ${ours.length} findings, ${onlyOurs.length} of them on lines where the other has none`);
for (const [kind, found] of [...Map.groupBy(onlyOurs, (each) => each.kind)].toSorted((a, b) =>
  compareStrings(a[0], b[0]),
)) {
  say(`  ${kind}: ${found.length}`);
  for (const { place, message, source: line } of found)
    say(`    ${place} ${message}\n      ${line.slice(0, 160)}`);
}

/** What remark-cli with remark-validate-links and nothing else says about the same files. */
function byValidateLinks(): Found[] {
  const folder = mkdtempSync(join(tmpdir(), "claude-md-differential-"));
  const modules = join(import.meta.dirname, "node_modules");
  const rc = join(folder, "rc.mjs");
  const plugin = JSON.stringify(join(modules, "remark-validate-links/index.js"));
  writeFileSync(rc, `export default { plugins: [[${plugin}, { repository: false }]] };\n`);
  const out = join(folder, "out.json");
  try {
    const reporter = join(modules, "vfile-reporter-json/index.js");
    const args = ["--no-stdout", "--quiet", "--no-config", "--rc-path", rc, "--report", reporter];
    const { stderr } = spawnSync(process.execPath, [join(modules, "remark-cli/cli.js"), ".", ...args], {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 2 ** 30,
    });
    writeFileSync(out, stderr);
    interface Message {
      reason: string;
      ruleId: string;
      line: number;
    }
    const report = JSON.parse(readFileSync(out, "utf8")) as { path: string; messages: Message[] }[];
    return report.flatMap(({ path, messages }) =>
      messages.map(({ reason, ruleId, line }) => ({
        place: `${path.normalize("NFC")}:${line}`,
        kind: ruleId,
        message: reason,
        source: "",
      })),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
