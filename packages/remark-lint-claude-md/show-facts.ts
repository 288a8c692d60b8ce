import type { Claim, Sourced } from "./facts.ts";
import type { Project } from "./project.ts";

/** Every value, block, pair and claim of a directory with the line where it stands: why lint wants what it wants. */
export function factsText(dir: string, project: Project): string {
  const { facts } = project;
  const place = ({ file, line }: Sourced<unknown>): string => `${file}:${line}`;
  const asked = project.template(dir).sections;
  const keys = facts.keys(dir);
  const values = new Set([
    ...asked.flatMap(({ labels }) => labels.flatMap(({ fact }) => (fact === undefined ? [] : [fact]))),
    ...keys.values,
  ]);
  const blocks = new Map(
    [...asked.flatMap((section) => section.blocks), ...keys.blocks].map((block) => [
      [block.name, ...block.args].join(" "),
      block,
    ]),
  );
  const lines: string[] = [];
  for (const key of values) {
    const value = facts.value(key, dir);
    lines.push(
      value
        ? `{{fact ${key}}}  ${value.value}  → ${place(value)}`
        : `{{fact ${key}}}  nothing is known: people write it`,
    );
  }
  for (const [written, { name, args }] of blocks) {
    const block = facts.block(name, args, dir);
    if (block) lines.push(`{{block ${written}}}  → ${place(block)}`, ...indented(block.value));
  }
  for (const other of facts.related(dir)) lines.push(`related  ${other === "" ? "." : other}`);
  for (const claim of facts.claims(project.docPath(dir)))
    lines.push(`claim ${claim.type}  ${describe(claim)}  → ${place(claim.truth)}`);
  return `${lines.length === 0 ? "nothing is known" : lines.join("\n")}\n`;
}

function indented(text: string): string[] {
  return text.split("\n").map((line) => `  ${line}`);
}

function describe(claim: Claim): string {
  switch (claim.type) {
    case "count":
      return `${claim.truth.value} before ${claim.noun}`;
    case "set":
      return `${claim.truth.value.join(", ")} after ${claim.near}`;
    case "oneOf":
      return `${claim.truth.value}, not ${claim.others.join(", ")}, near ${claim.near}`;
    case "value":
      return `${claim.truth.value} for ${claim.pattern}, near ${claim.near}`;
    case "name":
      return `${claim.truth.value.join(", ")} for ${claim.pattern}`;
    default:
      return "";
  }
}
