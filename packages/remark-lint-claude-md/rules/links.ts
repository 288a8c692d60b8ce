import type { DocFacts, Link } from "../extract.ts";
import { addressFix } from "../destination.ts";
import type { Fix, Problem } from "../finding.ts";
import { nearest } from "../names.ts";
import { inside, nameOf, parentOf, relativeTo, resolveFrom } from "../paths.ts";
import type { Project } from "../project.ts";
import { rule } from "../rule.ts";
import { anchorsOf, visible } from "../slug.ts";

/**
 * Links lead to something that git knows, anchors included, and say where they lead.
 *
 * Addresses with a scheme are left alone. A path that begins with `/` counts from the repository's root.
 *
 * ### ok: directories, files, anchors, Japanese and spaces
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## 目的 と役割
 * [a](#目的-と役割) [b](#%E7%9B%AE%E7%9A%84-%E3%81%A8%E5%BD%B9%E5%89%B2) [c](daily/) [d](./daily/main.ts#L10)
 * [e](<../docs/how to.md#first>) [f](/docs/how%20to.md) [docs/how to.md](../docs/how%20to.md) ![g](../docs/図.png)
 * [h](https://example.com/x) [i][i] [j](../docs/how%20to.md#First)
 *
 * [i]: daily
 * ```
 * `jobs/daily/main.ts`:
 * ```ts
 * ```
 * `docs/how to.md`:
 * ```md
 * # First
 * ```
 * `docs/図.png`:
 * ```text
 * ```
 *
 * ### not ok: nothing there, another case, outside, ignored, malformed
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * - [a](../worker/main.ts)
 * - [b](Daily/)
 * - [c](../../elsewhere/)
 * - [d](dist/main.js)
 * - [e](%zz)
 * - [f]()
 * ```
 * `jobs/daily/main.ts`:
 * ```ts
 * ```
 * `workers/main.ts`:
 * ```ts
 * ```
 * Ignored: `jobs/dist`
 * Reports:
 * ```text
 * jobs/CLAUDE.md:2:3-2:25 error missing: Unexpected link to `worker/main.ts`, which does not exist, expected perhaps `../workers/main.ts`
 * jobs/CLAUDE.md:3:3-3:14 error case: Unexpected link to `jobs/Daily`, expected `jobs/daily` (a difference in case)
 * jobs/CLAUDE.md:4:3-4:24 error outside: Unexpected link to `../../elsewhere/`, expected a path inside the repository
 * jobs/CLAUDE.md:5:3-5:20 error ignored: Unexpected link to `jobs/dist/main.js`, expected a path that git does not ignore
 * jobs/CLAUDE.md:6:3-6:11 error malformed: Unexpected address `%zz`, expected a percent-encoded path
 * jobs/CLAUDE.md:7:3-7:8 error malformed: Unexpected empty address, expected a path
 * ```
 *
 * ### not ok: documents that moved, or were not written yet
 *
 * `CLAUDE.md`:
 * ```md
 * # CLAUDE.md
 * [a](worker/item/CLAUDE.md)
 * [b](jobs/CLAUDE.md)
 * ```
 * `workers/item/CLAUDE.md`:
 * ```md
 * ```
 * `jobs/main.ts`:
 * ```ts
 * ```
 * Reports:
 * ```text
 * CLAUDE.md:2:1-2:27 error missing: Unexpected link to `worker/item/CLAUDE.md`, which does not exist, expected perhaps `./workers/item/CLAUDE.md`
 * CLAUDE.md:3:1-3:20 error missing: Unexpected link to `jobs/CLAUDE.md`, which does not exist, expected an existing path
 * ```
 *
 * ### not ok: anchors
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * ## ☁️ AWS
 * [a](#-aws) [b](#️-awz) [c](daily/#x) [d](daily#purpose)
 * ```
 * `jobs/daily/CLAUDE.md`:
 * ```md
 * # jobs/daily/CLAUDE.md
 * ## Purpose
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:3:1-3:11 error invisible: Unexpected anchor `#-aws`, expected `#U+FE0F-aws` (an invisible character)
 * jobs/CLAUDE.md:3:12-3:23 error anchor: Unexpected anchor `#U+FE0F-awz`, expected perhaps `#U+FE0F-aws`
 * jobs/CLAUDE.md:3:24-3:37 error directory-anchor: Unexpected anchor on a directory, expected `daily/CLAUDE.md#x`
 * jobs/CLAUDE.md:3:38-3:56 error directory-anchor: Unexpected anchor on a directory, expected `daily/CLAUDE.md#purpose`
 * ```
 *
 * ### not ok: the text names another path
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * [workers/item](../workers/product/)
 * ```
 * `workers/item/main.ts`:
 * ```ts
 * ```
 * `workers/product/main.ts`:
 * ```ts
 * ```
 * Reports:
 * ```text
 * jobs/CLAUDE.md:2:1-2:36 error text-path: Unexpected link to `workers/product` under the text `workers/item`, expected `../workers/item`
 * ```
 *
 * ### not ok: a committed document points at a file that is not committed
 *
 * `jobs/CLAUDE.md`:
 * ```md
 * # jobs/CLAUDE.md
 * [new](new.ts)
 * ```
 * `jobs/new.ts`:
 * ```ts
 * ```
 * Untracked: `jobs/new.ts`
 * Reports:
 * ```text
 * jobs/CLAUDE.md:2:1-2:14 warning untracked: Unexpected link to `jobs/new.ts`, expected a path that git tracks
 * ```
 */
export const links = rule({
  name: "links",
  options: {},
  *document(doc, project) {
    const { dir, path, facts, text } = doc;
    for (const link of facts.links)
      for (const problem of problemsOf(link, dir, path, facts, project)) {
        const grade = grades[problem.kind];
        const [replacement] = problem.expected ?? [];
        const fix =
          grade && replacement !== undefined
            ? addressFix(link, text, grade, addressIn(link.url, replacement))
            : {};
        // Not the address alone: remark-lint drops messages that begin between two nodes.
        yield { ...problem, at: link.range, ...fix };
      }
  },
});

const grades: Record<string, Fix["grade"] | undefined> = {
  missing: "G",
  case: "S",
  anchor: "G",
  invisible: "S",
  "directory-anchor": "S",
  "text-path": "G",
};

/** The address `url` with its wrong part replaced: an anchor, or the path before it. */
function addressIn(url: string, expected: string): string {
  const replacement = url.startsWith("./") ? expected : expected.replace(/^\.\//, "");
  const hash = url.indexOf("#");
  if (replacement.startsWith("#")) return `${hash === -1 ? url : url.slice(0, hash)}${replacement}`;
  return replacement.includes("#") || hash === -1 ? replacement : `${replacement}${url.slice(hash)}`;
}

function* problemsOf(
  link: Link,
  dir: string,
  from: string,
  facts: DocFacts,
  project: Project,
): Iterable<Problem> {
  if (/^[a-z][a-z\d+.-]*:|^\/\//i.test(link.url)) return;
  if (link.url === "") {
    yield { kind: "malformed", message: "Unexpected empty address, expected a path" };
    return;
  }
  const address = decode(link.url);
  if (!address) {
    yield {
      kind: "malformed",
      message: `Unexpected address \`${link.url}\`, expected a percent-encoded path`,
      actual: link.url,
    };
    return;
  }
  if (address.path === "") {
    if (address.anchor !== "") yield* anchorProblems(address.anchor, anchorsOf(facts));
    return;
  }

  const target = address.path.startsWith("/")
    ? resolveFrom("", address.path)
    : resolveFrom(dir, address.path);
  if (target === undefined) {
    yield {
      kind: "outside",
      message: `Unexpected link to \`${address.path}\`, expected a path inside the repository`,
      actual: address.path,
    };
    return;
  }
  const kind = project.kind(target);
  if (kind === undefined || (kind === "file" && address.path.endsWith("/"))) {
    yield missing(target, dir, project, address.path.endsWith("/"));
    return;
  }
  if (!project.tracked(target) && project.tracked(from))
    yield {
      kind: "untracked",
      severity: "warning",
      message: `Unexpected link to \`${target}\`, expected a path that git tracks`,
      note: `\`git add ${target}\``,
    };
  if (address.anchor !== "") {
    if (kind !== "file") {
      const expected = `${address.path.replace(/\/$/, "")}/${project.config.file}#${address.anchor}`;
      yield {
        kind: "directory-anchor",
        message: `Unexpected anchor on a directory, expected \`${visible(expected)}\``,
        actual: link.url,
        expected: [expected],
      };
    } else if (/\.(?:md|markdown)$/i.test(target)) {
      const known = target === from ? anchorsOf(facts) : project.anchors(target);
      if (known) yield* anchorProblems(address.anchor, known, target === from ? undefined : target);
    }
  }
  yield* textProblems(link, target, dir, project);
}

/** Path and anchor, decoded and in NFC; undefined when the percent-encoding is broken. */
function decode(url: string): { path: string; anchor: string } | undefined {
  const hash = url.indexOf("#");
  const [path = "", anchor = ""] = hash === -1 ? [url] : [url.slice(0, hash), url.slice(hash + 1)];
  try {
    return { path: plainText(path.replace(/\?.*$/s, "")), anchor: plainText(anchor) };
  } catch {
    return undefined;
  }
}

/** @param slash a directory is written with one at its end. */
/** Most addresses are written as they are meant. */
function plainText(encoded: string): string {
  if (/^[\w./-]*$/.test(encoded)) return encoded;
  return (encoded.includes("%") ? decodeURIComponent(encoded) : encoded).normalize("NFC");
}

function missing(target: string, dir: string, project: Project, slash: boolean): Problem {
  const written = (path: string): string =>
    relativeTo(dir, path) + (slash && project.kind(path) === "directory" ? "/" : "");
  const spelling = project.spelling(target);
  if (spelling !== undefined && spelling !== target)
    return {
      kind: "case",
      message: `Unexpected link to \`${target}\`, expected \`${spelling}\` (a difference in case)`,
      actual: target,
      expected: [written(spelling)],
    };
  if (project.ignored(target))
    return {
      kind: "ignored",
      message: `Unexpected link to \`${target}\`, expected a path that git does not ignore`,
      actual: target,
      note: "a fresh clone does not have it",
    };
  const meant = guess(target, dir, project);
  const expected = meant === undefined ? undefined : written(meant);
  return {
    kind: "missing",
    message: `Unexpected link to \`${target}\`, which does not exist, expected ${expected === undefined ? "an existing path" : `perhaps \`${expected}\``}`,
    actual: target,
    ...(expected === undefined ? {} : { expected: [expected] }),
  };
}

/** The one existing path with the same name, or the nearest name beside the missing one. */
function guess(target: string, from: string, project: Project): string | undefined {
  const name = nameOf(target);
  const twins = project.named(name);
  // Every directory has a document, so a document's name alone says nothing: its directory does.
  if (name === project.config.file) {
    if (project.kind(parentOf(target)) === "directory") return undefined;
    const dir = nearestDirectory(parentOf(target), project);
    // A document does not mean itself.
    return dir === undefined || dir === from ? undefined : inside(dir, name);
  }
  if (twins.length === 1) return twins[0];
  const sibling = nearest(name, project.children(parentOf(target)));
  return sibling === undefined ? nearest(target, twins) : inside(parentOf(target), sibling);
}

/** The documented directory that was meant by `dir`, which has no document. */
function nearestDirectory(dir: string, project: Project): string | undefined {
  const documented = project.dirs.filter((candidate) => project.documented(candidate));
  const twins = documented.filter((candidate) => nameOf(candidate) === nameOf(dir));
  return twins.length === 1 ? twins[0] : nearest(dir, documented);
}

function* anchorProblems(anchor: string, known: ReadonlySet<string>, file?: string): Iterable<Problem> {
  // Headings have small letters, and where documents are shown, capitals lead to them as well.
  if (known.has(anchor) || known.has(anchor.toLowerCase())) return;
  const anchors = [...known];
  const place = file === undefined ? "" : ` in \`${file}\``;
  const bare = (text: string): string => text.replaceAll("\u{FE0F}", "");
  const twin = anchors.find((known) => bare(known) === bare(anchor));
  if (twin !== undefined) {
    yield {
      kind: "invisible",
      message: `Unexpected anchor \`#${visible(anchor)}\`${place}, expected \`#${visible(twin)}\` (an invisible character)`,
      actual: `#${anchor}`,
      expected: [`#${twin}`],
      note: "or link to the document without an anchor",
    };
    return;
  }
  const meant = nearest(anchor, anchors);
  yield {
    kind: "anchor",
    message: `Unexpected anchor \`#${visible(anchor)}\`${place}, expected ${meant === undefined ? "that of a heading" : `perhaps \`#${visible(meant)}\``}`,
    actual: `#${anchor}`,
    ...(meant === undefined ? {} : { expected: [`#${meant}`] }),
  };
}

/** A text that is itself an existing path, but not the one that the link leads to. */
function* textProblems(link: Link, target: string, dir: string, project: Project): Iterable<Problem> {
  const { text } = link;
  if (text === "") return;
  const subject = (path: string): string => (nameOf(path) === project.config.file ? parentOf(path) : path);
  const named = [resolveFrom("", text), resolveFrom(dir, text)].filter(
    (path): path is string => path !== undefined && project.kind(path) !== undefined,
  );
  const [first] = named;
  if (first === undefined || named.some((path) => subject(path) === subject(target))) return;
  const expected = relativeTo(dir, first);
  yield {
    kind: "text-path",
    message: `Unexpected link to \`${target}\` under the text \`${text}\`, expected \`${expected}\``,
    actual: target,
    expected: [expected],
  };
}
