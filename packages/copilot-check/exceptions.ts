import { existsSync, readFileSync } from "node:fs";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import type { Finding } from "./report.ts";
import type { ScanFinding } from "./scanners.ts";

/** A finding that we live with. */
export interface Exception {
  /** One, or several that ask for the same thing in their own words. */
  rules: string[];
  /** Logical id; `*` stands for any letters. */
  resource: string;
  /** File; `*` stands for any letters. */
  file: string;
  reason: string;
  /** The last day on which it holds, `2027-03-31`. */
  until?: string;
  line: number;
}

const schema = z.array(
  z.strictObject({
    rules: z.array(z.string().min(1)).min(1),
    resource: z.string().default("*"),
    file: z.string().default("*"),
    reason: z.string().min(20, "a reason says why it is right here, in a sentence"),
    until: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}$/)
      .optional(),
  }),
);

/** Reads the list of exceptions; mistakes in it are findings. An absent file is an empty list. */
export function readExceptions(path: string, file: string): { exceptions: Exception[]; findings: Finding[] } {
  if (!existsSync(path)) return { exceptions: [], findings: [] };
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, "utf8"), { lineCounter: lines });
  const values = document.toJS() as unknown;
  const lineOf = (index: number): number => {
    const range = (document.getIn([index], true) as { range?: [number, number, number] } | undefined)?.range;
    return range ? lines.linePos(range[0]).line : 1;
  };
  const parsed = schema.safeParse(values ?? []);
  if (!parsed.success) {
    const findings = parsed.error.issues.map(({ path: where, message }) => ({
      file,
      line: lineOf(Number(where[0] ?? 0)),
      message: `This exception is incomplete: ${where.slice(1).join(".")} ${message}`,
    }));
    return { exceptions: [], findings };
  }
  return { exceptions: parsed.data.map((exception, i) => ({ ...exception, line: lineOf(i) })), findings: [] };
}

/** Findings without an exception, exceptions without a finding, and those whose day is past. */
export function judge(
  findings: ScanFinding[],
  exceptions: Exception[],
  file: string,
  today: string,
): Finding[] {
  const used = new Set<string>();
  const keyOf = (exception: Exception, rule: string): string => `${exception.line} ${rule}`;
  const open = findings.filter((finding) => {
    const matching = exceptions.filter(
      (exception) => matches(exception, finding) && !isPast(exception, today),
    );
    for (const exception of matching) used.add(keyOf(exception, finding.rule));
    return matching.length === 0;
  });
  const results: Finding[] = open.map(({ tool, rule, resource, file: where, line, message }) => ({
    file: where,
    line,
    message: `${rule} ${resource}: ${message} (${tool})`,
    hint: `Mend it, or write an exception with its reason into ${file}.`,
  }));
  for (const exception of exceptions) {
    const place = { file, line: exception.line };
    const { rules, resource, until } = exception;
    if (isPast(exception, today)) {
      results.push({
        ...place,
        message: `The exception for ${rules.join(", ")} ended on ${until}.`,
        hint: "Mend the finding, or decide anew.",
      });
      continue;
    }
    const idle = rules.filter((rule) => !used.has(keyOf(exception, rule)));
    if (idle.length > 0)
      results.push({
        ...place,
        message: `The exception for ${idle.join(", ")} on ${resource} matches nothing any more.`,
        hint: "Remove it.",
      });
  }
  return results;
}

function matches({ rules, resource, file }: Exception, finding: ScanFinding): boolean {
  return rules.includes(finding.rule) && glob(resource, finding.resource) && glob(file, finding.file);
}

function glob(pattern: string, text: string): boolean {
  const source = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${source.join(".*")}$`).test(text);
}

function isPast({ until }: Exception, today: string): boolean {
  return until !== undefined && until < today;
}
