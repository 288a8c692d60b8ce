import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { column } from "./columns.ts";
import { judge, readExceptions } from "./exceptions.ts";
import { goldenName, goldenText } from "./golden.ts";
import { account } from "./names.ts";
import type { Rendering } from "./render.ts";
import { timed, type Finding, type Step } from "./report.ts";
import {
  cdkNag,
  cfnGuard,
  cfnLint,
  checkov,
  type Scan,
  type ScanFinding,
  type Scanners,
  type Target,
} from "./scanners.ts";
import type { Setting } from "./setting.ts";
import { parseTemplate, type Template } from "./template.ts";

/** The least number of distinct rules that the naive template must still raise: fewer, and a scanner has gone quiet. */
const leastRules = 40;

/**
 * The gate: four scanners over every addon template in every column of its mappings, and cfn-lint over all that the CLI
 * rendered. Exceptions are data with reasons; a template full of mistakes proves each time that the gate still sees them.
 */
export async function lint(setting: Setting, { stacks }: Rendering, scanners: Scanners): Promise<Step[]> {
  const { folders, config } = setting;
  const scratch = join(folders.local, "check", "lint");
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const addons = addonSources(setting.root);
  const columns = addons.flatMap((addon) => columnTargets(setting, addon, scratch));
  const sources = addons.map(({ path, file }) => ({ path, file }));
  const rendered = stacks.map((stack): Target => {
    const path = join(scratch, goldenName(stack));
    writeFileSync(path, goldenText(stack));
    return { path, file: `${setting.renderedName}/${goldenName(stack)}` };
  });
  const half = Math.ceil(rendered.length / 2);
  const exceptionsFile = `${config.tools ?? "tools"}/exceptions.yml`;
  const { exceptions, findings: broken } = readExceptions(
    join(folders.tools, "exceptions.yml"),
    exceptionsFile,
  );
  const found: ScanFinding[] = [];
  const lint = await timed("lint", async () => {
    const results = await Promise.all([
      cfnLint([...sources, ...rendered.slice(0, half)], scanners),
      cfnLint(rendered.slice(half), scanners).then(async (first) => [
        ...first,
        ...(await cfnGuard(columns, scanners)),
        ...(await cdkNag(columns, scanners)),
        ...(await checkov(columns, scanners)),
      ]),
    ]);
    found.push(...once(results.flat()));
    const findings = [
      ...broken,
      ...judge(found, exceptions, exceptionsFile, new Date().toISOString().slice(0, 10)),
    ];
    const files = rendered.length + columns.length + sources.length;
    const what = `${files} files by 4 scanners, ${exceptions.length} exceptions for ${found.length} findings`;
    return { what, passed: files, findings };
  });
  return [lint, await timed("gate", () => gate(setting, scanners))];
}

/** The scanners over some addon templates, and the list of exceptions: what must be mended in them. */
export async function lintFiles(
  setting: Setting,
  files: string[],
  scanners: Scanners,
  scratch: string,
): Promise<Finding[]> {
  mkdirSync(scratch, { recursive: true });
  const addons = addonSources(setting.root).filter(({ file }) => files.includes(file));
  const columns = addons.flatMap((addon) => columnTargets(setting, addon, scratch));
  const name = `${setting.config.tools ?? "tools"}/exceptions.yml`;
  const { exceptions, findings } = readExceptions(join(setting.folders.tools, "exceptions.yml"), name);
  const scans =
    addons.length === 0
      ? []
      : [cfnLint(addons, scanners), ...[cfnGuard, cdkNag, checkov].map((scan) => scan(columns, scanners))];
  const found = once((await Promise.all(scans)).flat());
  return [...findings, ...judge(found, exceptions, name, new Date().toISOString().slice(0, 10))];
}

/** The scanners must find what is wrong with a template that is wrong everywhere. */
export async function gate(
  { folders, config }: Setting,
  scanners: Scanners,
): Promise<Omit<Step, "name" | "ms">> {
  const name = `${config.tools ?? "tools"}/naive.yml`;
  const path = join(folders.tools, "naive.yml");
  if (!existsSync(path))
    return {
      what: `no ${name}`,
      passed: 0,
      findings: [{ file: name, line: 1, message: "The gate has nothing to prove itself with." }],
    };
  const text = readFileSync(path, "utf8");
  const template = parseTemplate(name, text);
  const target: Target = {
    path,
    file: name,
    lineOf: (resource) => template.at(["Resources", resource]).line,
  };
  const scans: [string, Scan][] = [
    ["cfn-lint", cfnLint],
    ["cfn-guard", cfnGuard],
    ["cdk-nag", cdkNag],
    ["checkov", checkov],
  ];
  const results = await Promise.all(
    scans.map(async ([tool, scan]) => [tool, await scan([target], scanners)] as const),
  );
  const all = results.flatMap(([, findings]) => findings);
  const rules = new Set(all.map(({ rule }) => rule));
  const expected = [...text.matchAll(/^# must: (.+)$/gm)].flatMap(([, list = ""]) =>
    list.split(/[\s,]+/).filter(Boolean),
  );
  const findings: Finding[] = expected
    .filter((rule) => !rules.has(rule))
    .map((rule) => ({
      file: name,
      line: 1,
      message: `${rule} does not find its mistake any more: a scanner went quiet.`,
    }));
  for (const [tool, found] of results)
    if (found.length === 0)
      findings.push({
        file: name,
        line: 1,
        message: `${tool} finds nothing in a template that is wrong everywhere.`,
      });
  if (rules.size < leastRules)
    findings.push({
      file: name,
      line: 1,
      message: `Only ${rules.size} rules find something; there must be ${leastRules}.`,
    });
  return { what: `${rules.size} rules find their mistake in ${name}`, passed: rules.size, findings };
}

interface AddonSource extends Target {
  template: Template;
}

/** Every addon template of the workspace, by its real file: linked into several folders it is one. */
function addonSources(root: string): AddonSource[] {
  const copilot = join(root, "copilot");
  const folders = readdirSync(copilot, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name === "addons" && (entry.isDirectory() || entry.isSymbolicLink()))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((folder) => existsSync(folder));
  const paths = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name) && !/parameters\.ya?ml$/.test(name))
      .map((name) => realpathSync(join(folder, name))),
  );
  return [...new Set(paths)].toSorted().map((path) => {
    const file = relative(realpathSync(root), path).replaceAll("\\", "/");
    return { path, file, template: parseTemplate(file, readFileSync(path, "utf8")) };
  });
}

/** One file for each column that differs from the others in more than the environment's name. */
function columnTargets(
  { workspace, region }: Setting,
  { file, template }: AddonSource,
  scratch: string,
): Target[] {
  const seen = new Set<string>();
  return workspace.environments.flatMap((environment) => {
    const known = { App: workspace.application, Env: environment, Name: "workload" };
    const text = JSON.stringify(column(template, known, region, account), undefined, 2);
    const shape = text.replaceAll(environment, "ENV");
    if (seen.has(shape)) return [];
    seen.add(shape);
    const path = join(scratch, `${file.replaceAll("/", ".")}.${environment}.json`);
    writeFileSync(path, text);
    return [{ path, file, lineOf: (resource: string) => template.at(["Resources", resource]).line }];
  });
}

/** The same mistake in several columns is one. */
function once(findings: ScanFinding[]): ScanFinding[] {
  return [
    ...new Map(
      findings.map((finding) => [
        `${finding.tool} ${finding.rule} ${finding.file} ${finding.resource} ${finding.line}`,
        finding,
      ]),
    ).values(),
  ];
}
