import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execute, type Run } from "./copilot-cli.ts";
import { UserError } from "./user-error.ts";

/** A file to scan, and what it is called in messages. */
export interface Target {
  path: string;
  /** Below the workspace's root. */
  file: string;
  /** The line of a resource in `file`; undefined where the scanner's own line is right. */
  lineOf?: (resource: string) => number;
}

export interface ScanFinding {
  tool: "cfn-lint" | "cfn-guard" | "cdk-nag" | "checkov";
  rule: string;
  resource: string;
  file: string;
  line: number;
  message: string;
}

export interface Scanners {
  /** Programs of Python. */
  bin: string;
  /** `node_modules` of the tools from npm. */
  modules: string;
}

export type Scan = (targets: Target[], scanners: Scanners) => Promise<ScanFinding[]>;

interface LintMatch {
  Filename: string;
  Rule: { Id: string };
  Message: string;
  Location: { Start: { LineNumber: number }; Path: (string | number)[] | null };
}

/** CloudFormation's schema: types, properties, values, references. */
export const cfnLint: Scan = async (targets, { bin }) => {
  const run = await execute(join(bin, "cfn-lint"), [
    "--format",
    "json",
    "--",
    ...targets.map(({ path }) => path),
  ]);
  const matches = jsonOf("cfn-lint", run) as LintMatch[];
  return matches.map(({ Filename, Rule, Message, Location }) => {
    const target = targets.find(({ path }) => path === Filename);
    const [section, id] = Location.Path ?? [];
    const resource =
      section === "Resources" || section === "Parameters" || section === "Conditions"
        ? String(id)
        : String(section ?? "");
    return {
      tool: "cfn-lint" as const,
      rule: Rule.Id,
      resource,
      file: target?.file ?? Filename,
      line: Location.Start.LineNumber,
      message: Message,
    };
  });
};

interface GuardReport {
  name: string;
  not_compliant: { Rule: GuardRule }[];
}
interface GuardRule {
  name: string;
  checks: unknown[];
}

/** AWS Control Tower's own proactive controls. */
export const cfnGuard: Scan = async (targets, { modules }) => {
  const home = join(modules, "@cdklabs", "cdk-validator-cfnguard");
  const system = process.platform === "darwin" ? "macos" : "ubuntu";
  const program = join(home, "bin", system, process.arch === "arm64" ? "aarch64" : "x86_64", "cfn-guard");
  const rules = join(home, "rules", "control-tower", "cfn-guard");
  const data = targets.flatMap(({ path }) => ["--data", path]);
  const run = await execute(program, [
    "validate",
    ...data,
    "--rules",
    rules,
    "--structured",
    "--output-format",
    "json",
    "--show-summary",
    "none",
  ]);
  const reports = jsonOf("cfn-guard", run) as GuardReport[];
  return reports.flatMap(({ name, not_compliant: rules }) => {
    const target = targets.find(({ path }) => path === name);
    return rules.flatMap(({ Rule: rule }) => guardFindings(rule, target, name));
  });
};

function guardFindings(rule: GuardRule, target: Target | undefined, name: string): ScanFinding[] {
  const text = JSON.stringify(rule);
  const control = /\[(CT\.[A-Z0-9]+\.PR\.\d+)\]: ([^\\[]+)/.exec(text);
  const resources = new Set(
    [...text.matchAll(/"(?:path|from|to)":"\/Resources\/([A-Za-z0-9]+)/g)].map(([, id = ""]) => id),
  );
  return [...(resources.size > 0 ? resources : [""])].map((resource) => ({
    tool: "cfn-guard" as const,
    rule: control?.[1] ?? rule.name,
    resource,
    file: target?.file ?? name,
    line: target?.lineOf?.(resource) ?? 1,
    message: control?.[2]?.trim() ?? rule.name,
  }));
}

/** The packs AwsSolutions and Serverless of cdk-nag, over plain templates. */
export const cdkNag: Scan = async (targets, { modules }) => {
  const host = fileURLToPath(new URL("nag-host.ts", import.meta.url));
  const run = await execute(process.execPath, [host, modules, ...targets.map(({ path }) => path)]);
  const found = jsonOf("cdk-nag", run) as {
    template: number;
    rule: string;
    resource: string;
    message: string;
  }[];
  // The CDK adds what cfn-lint says anyway.
  const ours = found.filter(({ rule }) => /^(?:AwsSolutions|Serverless)-/.test(rule));
  return ours.map(({ template, rule, resource, message }) => {
    const target = targets[template];
    return {
      tool: "cdk-nag" as const,
      // AwsSolutions-IAM5[Resource::*] names what it found: the exception is for the rule.
      rule: rule.replace(/\[.*$/, ""),
      resource,
      file: target?.file ?? "",
      line: target?.lineOf?.(resource) ?? 1,
      message: `${message}${/\[(.*)\]$/.exec(rule)?.[0] ?? ""}`,
    };
  });
};

interface CheckovReport {
  results: {
    failed_checks: {
      check_id: string;
      check_name: string;
      file_abs_path: string;
      resource: string;
      file_line_range: [number, number];
    }[];
    parsing_errors?: string[];
  };
}

/** The second opinion. */
export const checkov: Scan = async (targets, { bin }) => {
  if (targets.length === 0) return [];
  const args = [
    "--framework",
    "cloudformation",
    "--compact",
    "--quiet",
    "--skip-download",
    "--output",
    "json",
    "--file",
  ];
  const run = await execute(join(bin, "checkov"), [...args, ...targets.map(({ path }) => path)]);
  const answer = jsonOf("checkov", run) as CheckovReport | CheckovReport[];
  const reports = Array.isArray(answer) ? answer : [answer];
  return reports.flatMap(({ results }) =>
    (results?.failed_checks ?? []).map(
      ({ check_id, check_name, file_abs_path, resource, file_line_range }) => {
        const target = targets.find(
          ({ path }) => file_abs_path.endsWith(path) || path.endsWith(file_abs_path),
        );
        const id = resource.slice(resource.lastIndexOf(".") + 1);
        return {
          tool: "checkov" as const,
          rule: check_id,
          resource: id,
          file: target?.file ?? file_abs_path,
          line: target?.lineOf?.(id) ?? file_line_range[0],
          message: check_name,
        };
      },
    ),
  );
};

/** A scanner that says nothing readable has not scanned: never the same as "nothing found". */
function jsonOf(tool: string, { stdout, stderr, code }: Run): unknown {
  try {
    return JSON.parse(stdout) as unknown;
  } catch (error) {
    throw new UserError(
      `${tool} ended with exit code ${code} and no report: ${(stderr || stdout).trim().slice(-500)}`,
      "Remove its folder below .local, so that it is installed again.",
      { cause: error },
    );
  }
}
