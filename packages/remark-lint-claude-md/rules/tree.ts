import type { Fence } from "../extract.ts";
import type { Detail, Fix, Problem, Range } from "../finding.ts";
import { inside, isWithin, nameOf, parentOf, resolveFrom } from "../paths.ts";
import type { Doc, Project } from "../project.ts";
import { newTree, rootLabel, treeFix } from "../print-tree.ts";
import { lineEnding, withEnding } from "../regions.ts";
import { rule } from "../rule.ts";
import { knownSections } from "../sections.ts";
import { type Entry, globMatcher, isGlob, parseTree, type Tree } from "../tree.ts";

export interface TreeOptions {
  /**
   * `cover`: a wildcard must match something and stands for all it matches, the rest of its directory must be shown.
   * `open`: a directory that holds a wildcard or `...` is not asked for the rest.
   */
  globs: "open" | "cover";
  /** `error` forbids `...`. */
  ellipsis: "open" | "error";
}

/**
 * Directory trees show what git knows.
 *
 * A block in a section for which the template asks a tree must be one, with this directory as its root. Elsewhere a
 * block is taken for a tree when its first line is a directory and its entries look like paths; one of folders that
 * nothing here resembles is an example. A directory that shows one child must show all but its document and dot files.
 *
 * ### ok: comments, a wildcard, folders whose names look like patterns
 *
 * `template.md`:
 * ````md
 * # {{path}}/CLAUDE.md
 * ## Tree
 * ```text
 * {{tree}}
 * ```
 * ````
 * `app/CLAUDE.md`:
 * ````md
 * # app/CLAUDE.md
 * ## Tree
 * ```text
 * app/
 * ├── main.ts          # starts
 * ├── *.test.ts
 * ├── [id]/
 * │   └── page.tsx（詳細）
 * └── (shop)
 * ```
 * ````
 * `app/main.ts`:
 * ```ts
 * ```
 * `app/main.test.ts`:
 * ```ts
 * ```
 * `app/.env`:
 * ```text
 * ```
 * `app/[id]/page.tsx`:
 * ```tsx
 * ```
 * `app/(shop)/page.tsx`:
 * ```tsx
 * ```
 * Configuration:
 * ```json
 * { "rules": { "tree": ["error", { "globs": "cover" }] } }
 * ```
 *
 * ### ok: a drawing elsewhere is not a tree
 *
 * `app/CLAUDE.md`:
 * ````md
 * # app/CLAUDE.md
 * ```text
 * Sale
 * ├── Line
 * └── Payment
 * ```
 * ````
 *
 * ### not ok: entries that are not there, entries left out or told twice, a file written as a directory
 *
 * `template.md`:
 * ````md
 * # {{path}}/CLAUDE.md
 * ## Tree
 * ```text
 * {{tree}}
 * ```
 * ````
 * `app/CLAUDE.md`:
 * ````md
 * # app/CLAUDE.md
 * ## Tree
 * ```text
 * app/
 * ├── handlers/
 * │   └── sale.ts
 * ├── main.ts/
 * └── main.ts
 * ```
 * ````
 * `app/main.ts`:
 * ```ts
 * ```
 * `app/handler/sale.ts`:
 * ```ts
 * ```
 * Reports:
 * ```text
 * app/CLAUDE.md:4:1-4:5 error omitted: Unexpected tree of `app` without `handler/`, expected every child
 * app/CLAUDE.md:5:5-5:14 error phantom: Unexpected entry `handlers/`, no such path `app/handlers`
 * app/CLAUDE.md:7:5-7:13 error kind: Unexpected directory `main.ts/`, expected the file `app/main.ts`
 * app/CLAUDE.md:8:5-8:12 error twice: Unexpected entry `main.ts`, which stands above already
 * ```
 *
 * ### not ok: another root, no tree, not a tree
 *
 * `template.md`:
 * ````md
 * # {{path}}/CLAUDE.md
 * ## Tree
 * ```text
 * {{tree}}
 * ```
 * ````
 * `a/CLAUDE.md`:
 * ````md
 * # a/CLAUDE.md
 * ## Tree
 * ```text
 * b/
 * └── main.ts
 * ```
 * ````
 * `a/main.ts`:
 * ```ts
 * ```
 * `b/CLAUDE.md`:
 * ```md
 * # b/CLAUDE.md
 * ## Tree
 * See elsewhere.
 * ```
 * `c/CLAUDE.md`:
 * ````md
 * # c/CLAUDE.md
 * ## Tree
 * ```text
 * c/
 *   main.ts
 * ```
 * ````
 * Reports:
 * ```text
 * a/CLAUDE.md:4:1-4:3 error root: Unexpected root `b/`, expected `a/`
 * b/CLAUDE.md:2:1-2:8 error absent: Unexpected section `Tree` without a tree, expected one of `b/`
 * c/CLAUDE.md:5:1-5:10 error unparsable: Unexpected line `  main.ts` in a tree, expected a connector (`├──`, `└──`), a name and perhaps a comment
 * ```
 *
 * ### not ok: a wildcard that matches nothing, and one that hides nothing
 *
 * `template.md`:
 * ````md
 * # {{path}}/CLAUDE.md
 * ## Tree
 * ```text
 * {{tree}}
 * ```
 * ````
 * `app/CLAUDE.md`:
 * ````md
 * # app/CLAUDE.md
 * ## Tree
 * ```text
 * app/
 * ├── *.sql
 * ├── *.test.ts
 * └── ...
 * ```
 * ````
 * `app/main.test.ts`:
 * ```ts
 * ```
 * `app/main.ts`:
 * ```ts
 * ```
 * Configuration:
 * ```json
 * { "rules": { "tree": ["error", { "globs": "cover", "ellipsis": "error" }] } }
 * ```
 * Reports:
 * ```text
 * app/CLAUDE.md:4:1-4:5 error omitted: Unexpected tree of `app` without `main.ts`, expected every child
 * app/CLAUDE.md:5:5-5:10 error phantom: Unexpected wildcard `*.sql`, nothing in `app` matches
 * app/CLAUDE.md:7:5-7:8 error ellipsis: Unexpected `...`, expected the names it stands for
 * ```
 *
 * ### not ok: a tree in another section that has grown old
 *
 * `docs/CLAUDE.md`:
 * ````md
 * # docs/CLAUDE.md
 * ```
 * workers/item/
 * ├── main.ts
 * └── old.ts
 * ```
 * ````
 * `workers/item/main.ts`:
 * ```ts
 * ```
 * Reports:
 * ```text
 * docs/CLAUDE.md:5:5-5:11 error phantom: Unexpected entry `old.ts`, no such path `workers/item/old.ts`
 * ```
 */
export const tree = rule<TreeOptions>({
  name: "tree",
  options: { globs: "open", ellipsis: "open" },
  *document(doc, project, options) {
    const { dir, facts } = doc;
    const asked = knownSections(facts, project.template(dir)).filter((section) => section.template.tree);
    const within = (fence: Fence): boolean =>
      asked.some(({ start, end }) => fence.range[0] >= start && fence.range[1] <= end);
    for (const section of asked)
      if (!facts.fences.some((fence) => fence.range[0] >= section.start && fence.range[1] <= section.end))
        yield {
          kind: "absent",
          message: `Unexpected section \`${section.heading.raw}\` without a tree, expected one of \`${rootLabel(dir)}\``,
          at: section.heading.range,
          fix: {
            grade: "G",
            edits: [
              [
                section.heading.range[1],
                section.heading.range[1],
                withEnding(`\n\`\`\`text\n${newTree(dir, project)}\n\`\`\``, lineEnding(doc.text)),
              ],
            ],
          },
        };
    for (const fence of facts.fences) {
      const parsed = parseTree(fence.value);
      const place = placeIn(fence, doc);
      const asked = within(fence);
      const about = asked ? dir : "entries" in parsed ? otherRoot(parsed, dir, project) : undefined;
      const problems = asked
        ? askedTree(parsed, dir, place, project, options)
        : "entries" in parsed
          ? otherTree(parsed, dir, place, project, options)
          : [];
      let fix: Fix | undefined;
      for (const problem of problems) {
        if ("entries" in parsed && about !== undefined && problem.kind !== "unparsable")
          fix ??= treeFix(fence, parsed, about, doc, project, options);
        yield { ...problem, fix };
      }
    }
  },
});

interface Place {
  /** The range of an entry's name. */
  entry(entry: Entry): Range;
  line(line: number): Range;
  /** 1-based line in the document. */
  number(line: number): number;
}

function placeIn(fence: Fence, doc: Doc): Place {
  const startOf = (line: number): number => doc.lineStarts[fence.line + line] ?? fence.range[0];
  return {
    entry: (entry) => {
      const start = startOf(entry.line) + entry.column;
      return [start, start + entry.name.length + (entry.directory && entry.name !== "/" ? 1 : 0)];
    },
    line: (line) => [startOf(line), startOf(line) + (fence.value.split(/\r\n|\n|\r/)[line]?.length ?? 0)],
    number: (line) => fence.line + line + 1,
  };
}

function* askedTree(
  parsed: ReturnType<typeof parseTree>,
  dir: string,
  place: Place,
  project: Project,
  options: TreeOptions,
): Iterable<Problem> {
  if (!("entries" in parsed)) {
    yield {
      kind: "unparsable",
      message: `Unexpected line \`${parsed.text}\` in a tree, expected a connector (\`├──\`, \`└──\`), a name and perhaps a comment`,
      at: place.line(parsed.line),
    };
    return;
  }
  const label = parsed.root?.name;
  const names = dir.split("/").map((_, index, all) => all.slice(index).join("/"));
  if (
    label === undefined ||
    !["", ".", ...names].includes(label === "/" && dir === "" ? "" : label) ||
    label === ""
  )
    yield {
      kind: "root",
      message: `Unexpected ${label === undefined ? "tree without a root" : `root \`${label}/\``}, expected \`${rootLabel(dir)}\``,
      at: parsed.root ? place.entry(parsed.root) : place.line(0),
      expected: [rootLabel(dir)],
    };
  yield* compare(dir, parsed.root, parsed.entries, true, place, project, options);
}

function placesOf(root: Entry, dir: string): (string | undefined)[] {
  const own = nameOf(dir) === root.name ? [dir] : [];
  return [resolveFrom("", root.name), resolveFrom(dir, root.name), ...own];
}

/** The directory that a tree outside the template's section shows. */
function otherRoot(parsed: Tree, dir: string, project: Project): string | undefined {
  return parsed.root
    ? placesOf(parsed.root, dir).find((path) => path !== undefined && project.kind(path) === "directory")
    : undefined;
}

function* otherTree(
  parsed: Tree,
  dir: string,
  place: Place,
  project: Project,
  options: TreeOptions,
): Iterable<Problem> {
  const root = looksLikeTree(parsed) ? parsed.root : undefined;
  if (!root) return;
  const places = placesOf(root, dir);
  const found = otherRoot(parsed, dir, project);
  if (found !== undefined) {
    yield* compare(found, root, parsed.entries, false, place, project, options);
    return;
  }
  // Folders that a run creates, such as caches, may be drawn.
  if (places.some((path) => path !== undefined && path !== "" && project.ignored(path))) return;
  // An example of somebody else's folders has nothing that is here.
  if (!all(parsed.entries).some(({ name }) => project.named(name.normalize("NFC")).length > 0)) return;
  yield {
    kind: "root",
    message: `Unexpected root \`${root.name}/\`, no such directory`,
    at: place.entry(root),
  };
}

/** A directory as the first line, and below it mostly names with an extension or a slash. */
function looksLikeTree({ root, entries }: Tree): boolean {
  if (!root?.directory || !/^[\w.@()[\]/-]+$/u.test(root.name)) return false;
  const shown = all(entries);
  const paths = shown.filter(
    ({ name, directory, ellipsis }) =>
      ellipsis || directory || /^[^\s]*\.[a-z][\w-]*$/i.test(name) || isGlob(name),
  );
  return shown.length > 0 && paths.length * 2 > shown.length;
}

/** The entries and all below them. */
function all(entries: Entry[]): Entry[] {
  const found = [...entries];
  // Grows as it is walked: a tree may be deeper than the call stack.
  for (const entry of found) found.push(...entry.children);
  return found;
}

/** Holds the entries of one directory against git, and those below them. */
function* compare(
  dir: string,
  owner: Entry | undefined,
  entries: Entry[],
  complete: boolean,
  place: Place,
  project: Project,
  options: TreeOptions,
): Iterable<Problem> {
  const children = project.children(dir);
  const shown = new Set<string>();
  const paths = new Set<string>();
  let open = false;
  for (const entry of entries) {
    if (entry.ellipsis) {
      open ||= options.ellipsis === "open";
      if (options.ellipsis === "error")
        yield {
          kind: "ellipsis",
          message: `Unexpected \`${entry.name}\`, expected the names it stands for`,
          at: place.entry(entry),
        };
      continue;
    }
    const path = resolveFrom(dir, entry.name.normalize("NFC"));
    const kind = path === undefined || path === dir ? undefined : project.kind(path);
    if (path !== undefined && kind !== undefined && isWithin(path, dir)) {
      shown.add(path.slice(dir === "" ? 0 : dir.length + 1).split("/")[0] ?? "");
      if (paths.has(path)) {
        yield {
          kind: "twice",
          message: `Unexpected entry \`${entry.name}${entry.directory ? "/" : ""}\`, which stands above already`,
          at: place.entry(entry),
        };
        continue;
      }
      paths.add(path);
      if (kind === "file" && (entry.directory || entry.children.length > 0))
        yield {
          kind: "kind",
          message: `Unexpected directory \`${entry.name}${entry.directory ? "/" : ""}\`, expected the file \`${path}\``,
          at: place.entry(entry),
          expected: [entry.name],
        };
      else if (entry.children.length > 0)
        yield* compare(path, entry, entry.children, true, place, project, options);
      continue;
    }
    if (isGlob(entry.name)) {
      const matches = globMatcher(entry.name.normalize("NFC"));
      const covered = children.filter(
        (name) => matches(name) && (!entry.directory || project.kind(inside(dir, name)) !== "file"),
      );
      covered.forEach((name) => shown.add(name));
      open ||= options.globs === "open";
      if (covered.length === 0)
        yield {
          kind: "phantom",
          message: `Unexpected wildcard \`${entry.name}${entry.directory ? "/" : ""}\`, nothing in \`${dir === "" ? "." : dir}\` matches`,
          at: place.entry(entry),
        };
      continue;
    }
    yield phantom(entry, dir, place, project);
  }
  const wanted = children.filter(
    (name) => !shown.has(name) && name !== project.config.file && !name.startsWith("."),
  );
  if (open || wanted.length === 0 || (entries.length === 0 && !complete) || (!complete && shown.size === 0))
    return;
  const expected = wanted.map((name) => (project.kind(inside(dir, name)) === "file" ? name : `${name}/`));
  const line = place.number(owner?.line ?? 0);
  yield {
    kind: "omitted",
    message: `Unexpected tree of \`${dir === "" ? "." : dir}\` without ${expected.map((name) => `\`${name}\``).join(", ")}, expected every child`,
    at: owner ? place.entry(owner) : place.line(0),
    expected,
    details: wanted.map((name): Detail => ({ line, path: inside(dir, name), kind: "omitted" })),
  };
}

function phantom(entry: Entry, dir: string, place: Place, project: Project): Problem {
  const path = resolveFrom(dir, entry.name) ?? entry.name;
  const spelling = project.spelling(path);
  const name = `${entry.name}${entry.directory ? "/" : ""}`;
  const details: Detail[] = [];
  const visit = (below: Entry, parent: string): void => {
    const at = inside(parent, below.name);
    details.push({ line: place.number(below.line), path: at, kind: "phantom" });
    below.children.forEach((child) => visit(child, at));
  };
  visit(entry, dir);
  return {
    kind: "phantom",
    message:
      spelling !== undefined && parentOf(spelling) === parentOf(path)
        ? `Unexpected entry \`${name}\`, expected \`${nameOf(spelling)}\` (a difference in case)`
        : `Unexpected entry \`${name}\`, no such path \`${path}\``,
    at: place.entry(entry),
    details,
    ...(project.ignored(path) ? { note: "git ignores it: a fresh clone does not have it" } : {}),
  };
}
