import type { Finding } from "./finding.ts";
import { parentOf } from "./paths.ts";
import type { Project } from "./project.ts";
import { regionsOf } from "./regions.ts";
import { commandsIn } from "./rules/commands.ts";
import { knownSections } from "./sections.ts";

interface FolderCoverage {
  /** A top-level folder; `.` is the root itself. */
  folder: string;
  directories: number;
  documented: number;
  /** Documented, and without a finding. */
  clean: number;
}

export interface Coverage {
  folders: FolderCoverage[];
  total: FolderCoverage;
  excluded: { files: string[]; reason: string; directories: number }[];
  /** How much of what the documents say was held against the repository. */
  proved: { sections: number; trees: number; links: number; facts: number; commands: number };
  /** Share of directories whose document is there and clean, in percent, rounded down. */
  percent: number;
}

/** How much of the project has a document, and a clean one. */
export function coverageOf(project: Project, findings: readonly Finding[]): Coverage {
  const wrong = new Set(findings.map(({ file }) => parentOf(file)));
  const owed = [...new Set([...project.dirs, ...project.config.required])];
  const folders = [...Map.groupBy(owed, (dir) => (dir === "" ? "." : (dir.split("/")[0] ?? dir)))].map(
    ([folder, dirs]): FolderCoverage => ({
      folder,
      directories: dirs.length,
      documented: dirs.filter((dir) => project.documented(dir)).length,
      clean: dirs.filter((dir) => project.documented(dir) && !wrong.has(dir)).length,
    }),
  );
  const sum = (key: "directories" | "documented" | "clean"): number =>
    folders.reduce((total, folder) => total + folder[key], 0);
  const total = {
    folder: "total",
    directories: sum("directories"),
    documented: sum("documented"),
    clean: sum("clean"),
  };
  return {
    folders,
    total,
    excluded: project.config.exclusions.map(({ files, reason, matches }) => ({
      files,
      reason,
      directories: project.allDirs.filter(matches).length,
    })),
    proved: provedIn(project),
    percent: total.directories === 0 ? 100 : Math.floor((100 * total.clean) / total.directories),
  };
}

function provedIn(project: Project): Coverage["proved"] {
  const proved = { sections: 0, trees: 0, links: 0, facts: 0, commands: 0 };
  for (const dir of project.dirs) {
    const doc = project.doc(dir);
    if (!doc || doc.facts.unread !== undefined) continue;
    const sections = knownSections(doc.facts, project.template(dir));
    proved.sections += sections.length;
    proved.trees += sections.filter(({ template }) => template.tree).length;
    // Addresses of other machines are nobody's here.
    proved.links += doc.facts.links.filter(({ url }) => !/^[a-z][a-z\d+.-]*:|^\/\//i.test(url)).length;
    if (!project.facts.some) continue;
    proved.facts +=
      sections
        .flatMap(({ template }) => template.labels)
        .filter(({ fact }) => fact !== undefined && project.facts.value(fact, dir) !== undefined).length +
      regionsOf(doc).regions.length;
    proved.commands += [...commandsIn(doc)].length;
  }
  return proved;
}

/** As a table for people. */
export function coverageTable({ folders, total, excluded, proved, percent }: Coverage): string {
  const rows = [
    ["folder", "directories", "documented", "clean"],
    ...[...folders, total].map((each) => [
      each.folder,
      String(each.directories),
      String(each.documented),
      String(each.clean),
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
  for (const { files, reason, directories } of excluded)
    lines.push(`excluded: ${files.join(", ")} (${directories}): ${reason}`);
  const { sections, trees, links, facts, commands } = proved;
  lines.push(
    `${sections} sections, ${trees} trees, ${links} links, ${facts} facts and ${commands} commands were held against the repository`,
  );
  return `${lines.join("\n")}\n${percent} %\n`;
}

/** A small picture that says the percentage, for a README. */
export function badge(percent: number): string {
  const colour = percent === 100 ? "#3a7d44" : percent >= 90 ? "#8a6d00" : "#b3261e";
  const text = `${percent} %`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="96" height="20" role="img" aria-label="docs: ${text}"><title>docs: ${text}</title><rect width="40" height="20" fill="#444"/><rect x="40" width="56" height="20" fill="${colour}"/><g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle"><text x="20" y="14">docs</text><text x="68" y="14">${text}</text></g></svg>\n`;
}
