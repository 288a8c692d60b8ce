import type { Root, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { toString } from "mdast-util-to-string";
import { canonical, didYouMean, nearest } from "./names.ts";
import { parentOf, relativeTo, resolveFrom } from "./paths.ts";
import { SetUpError } from "./set-up-error.ts";

interface TemplateLabel {
  text: string;
  /** Written by the template, may be kept by a document. */
  default: string;
  /** The key of the fact that owns the value. */
  fact?: string;
}

export interface TemplateSection {
  /** The heading's text, byte for byte. */
  heading: string;
  /** `該当なし — 理由` may stand for the section or for one of its fields. */
  na: boolean;
  optional: boolean;
  labels: TemplateLabel[];
  /** The section holds a directory tree. */
  tree: boolean;
  /** The section holds links to other directories. */
  links: boolean;
  /** Regions that stand in the section where a provider knows them. */
  blocks: { name: string; args: string[] }[];
  /** Texts that must not survive in a document. */
  placeholders: string[];
}

export interface Template {
  /** Path relative to the repository. */
  path: string;
  /** Hand-written characters allowed in a document. */
  budget?: number;
  title: string;
  sections: TemplateSection[];
  /** The last line's source, around `{{template}}`. */
  footer?: { before: string; after: string };
}

/** `read` gives a template's source by its path relative to the repository, or undefined. */
export type ReadTemplate = (path: string) => string | undefined;

const words = ["path", "tree", "fact", "block", "template"];

/**
 * Reads a template and the ones it extends. A child may restate a section of its base, bind and mark it,
 * and append sections; it cannot drop, rename or reorder one.
 *
 * @throws SetUpError with file and line when the template cannot be read or does not keep its base's promise.
 */
export function loadTemplate(path: string, read: ReadTemplate, children: string[] = []): Template {
  if (children.includes(path))
    throw new SetUpError(
      `${children[0]}: the templates extend each other: ${[...children, path].join(" → ")}`,
    );
  const source = read(path);
  if (source === undefined)
    throw new SetUpError(
      `${children.at(-1) ?? "The configuration"} names the template \`${path}\`, which does not exist.`,
    );
  const own = compile(path, source);
  if (own.extends === undefined) {
    if (own.title === undefined)
      throw new SetUpError(
        `${path}:1 has no \`# {{path}}/…\` heading, and extends no template that has one.`,
      );
    const optional = own.sections.find((section) => section.optional);
    if (optional)
      throw new SetUpError(
        `${path}:${optional.line}: \`${optional.heading}\` is optional, which only a template that extends another may say.`,
      );
    return finish(path, own, own.title, own.sections);
  }
  const basePath = resolveFrom(parentOf(path), own.extends);
  if (basePath === undefined) throw new SetUpError(`${path}: \`${own.extends}\` leaves the repository.`);
  return extend(path, own, loadTemplate(basePath, read, [...children, path]));
}

/** The H1 text of a document for `dir`. */
export function titleFor(template: Template, dir: string): string {
  return template.title.replaceAll("{{path}}", dir).replace(/^\//, "");
}

/** The footer's source for a document in `dir`. */
export function footerFor(template: Template, dir: string): string | undefined {
  if (!template.footer) return undefined;
  const link = `[${template.path}](${relativeTo(dir, template.path)})`;
  return `${template.footer.before}${link}${template.footer.after}`;
}

interface OwnSection extends TemplateSection {
  line: number;
  /** Says something beyond its heading and markers. */
  stated: boolean;
}

interface OwnTemplate {
  extends?: string;
  budget?: number;
  title?: string;
  sections: OwnSection[];
  footer?: { before: string; after: string };
}

function finish(path: string, own: OwnTemplate, title: string, sections: TemplateSection[]): Template {
  return {
    path,
    title,
    ...(own.budget === undefined ? {} : { budget: own.budget }),
    ...(own.footer ? { footer: own.footer } : {}),
    sections: sections.map(({ heading, na, optional, labels, tree, links, blocks, placeholders }) => ({
      heading,
      na,
      optional,
      labels,
      tree,
      links,
      blocks,
      placeholders,
    })),
  };
}

function extend(path: string, own: OwnTemplate, base: Template): Template {
  const sections: TemplateSection[] = [...base.sections];
  let reached = -1;
  for (const section of own.sections) {
    const where = `${path}:${section.line}`;
    const index = base.sections.findIndex(
      (candidate) => canonical(candidate.heading) === canonical(section.heading),
    );
    const inherited = base.sections[index];
    if (!inherited) {
      const meant = nearest(
        section.heading,
        base.sections.map((candidate) => candidate.heading),
      );
      if (meant !== undefined)
        throw new SetUpError(
          `${where}: \`${section.heading}\` is not a section of ${base.path}, which has \`${meant}\`. A section of the base cannot be renamed.`,
        );
      sections.push(section);
      reached = base.sections.length;
      continue;
    }
    if (index <= reached)
      throw new SetUpError(
        `${where}: \`${section.heading}\` stands in another order than in ${base.path}. Sections of the base cannot be reordered.`,
      );
    reached = index;
    if (section.optional)
      throw new SetUpError(
        `${where}: \`${section.heading}\` is a section of ${base.path} and cannot become optional.`,
      );
    sections[index] = restate(where, section, inherited, base.path);
  }
  if (own.title !== undefined && own.title !== base.title)
    throw new SetUpError(`${path}: the title \`${own.title}\` is not \`${base.title}\` of ${base.path}.`);
  const footer = own.footer ?? base.footer;
  return finish(path, { ...own, ...(footer ? { footer } : {}) }, base.title, sections);
}

function restate(where: string, own: OwnSection, base: TemplateSection, basePath: string): TemplateSection {
  if (!own.stated) return { ...base, na: own.na || base.na };
  const labels = own.labels.map((label) => canonical(label.text));
  const lost = base.labels.find((label) => !labels.includes(canonical(label.text)));
  if (lost)
    throw new SetUpError(
      `${where}: \`${own.heading}\` restates the section of ${basePath} without its field \`${lost.text}\`. Fields of the base cannot be dropped.`,
    );
  return {
    ...own,
    heading: base.heading,
    na: own.na || base.na,
    tree: own.tree || base.tree,
    links: own.links || base.links,
    blocks: own.blocks.length > 0 ? own.blocks : base.blocks,
    placeholders: [...new Set([...base.placeholders, ...own.placeholders])],
  };
}

function compile(path: string, source: string): OwnTemplate {
  const tree: Root = fromMarkdown(source);
  const template: OwnTemplate = { sections: [] };
  refuseHeadingsInFences(path, tree, source);
  refuseUnknownWords(path, source);
  let section: OwnSection | undefined;
  for (const [index, node] of tree.children.entries()) {
    const line = node.position?.start.line ?? 1;
    if (node.type === "html") {
      readMarkers(path, line, node.value, template, section);
    } else if (node.type === "heading" && node.depth === 1) {
      if (template.title !== undefined) throw new SetUpError(`${path}:${line}: a second title.`);
      template.title = rawHeading(node, source);
    } else if (node.type === "heading" && node.depth === 2) {
      const heading = rawHeading(node, source);
      const twin = template.sections.find((other) => canonical(other.heading) === canonical(heading));
      if (twin)
        throw new SetUpError(
          `${path}:${line}: \`${heading}\` already stands on line ${twin.line}; headings must differ.`,
        );
      section = {
        heading,
        line,
        na: false,
        optional: false,
        labels: [],
        tree: false,
        links: false,
        blocks: [],
        placeholders: [],
        stated: false,
      };
      template.sections.push(section);
    } else if (isFooter(tree, index)) {
      template.footer = readFooter(tree, source);
      break;
    } else if (section) {
      section.stated = true;
      readContent(node, section);
    }
  }
  return template;
}

function rawHeading(node: RootContent, source: string): string {
  const line = source.slice(node.position?.start.offset, node.position?.end.offset);
  return line.replace(/^#+\s+/, "").replace(/\s+#*\s*$/, "");
}

function isFooter(tree: Root, index: number): boolean {
  const last = tree.children[index + 1];
  return (
    tree.children[index]?.type === "thematicBreak" &&
    index === tree.children.length - 2 &&
    last?.type === "paragraph" &&
    toString(last).includes("{{template}}")
  );
}

function readFooter(tree: Root, source: string): { before: string; after: string } {
  const last = tree.children.at(-1);
  const line = source.slice(last?.position?.start.offset, last?.position?.end.offset);
  const [before = "", after = ""] = line.split("{{template}}");
  return { before, after };
}

function readMarkers(
  path: string,
  line: number,
  html: string,
  template: OwnTemplate,
  section: OwnSection | undefined,
): void {
  for (const match of html.matchAll(/<!--\s*template\s+([\s\S]*?)\s*-->/g)) {
    for (const attribute of (match[1] ?? "").matchAll(/([\w-]+)(?:=(?:"([^"]*)"|(\S+)))?/g)) {
      const name = attribute[1] ?? "";
      const value = attribute[2] ?? attribute[3];
      if (name === "na" || name === "optional") {
        if (!section)
          throw new SetUpError(`${path}:${line}: \`${name}\` must stand under the section it is about.`);
        section[name] = true;
      } else if (name === "extends" && value !== undefined) {
        template.extends = value;
      } else if (name === "budget" && /^\d+$/.test(value ?? "")) {
        template.budget = Number(value);
      } else {
        throw new SetUpError(
          `${path}:${line}: \`${attribute[0]}\` means nothing in a template${didYouMean(name, ["na", "optional", "extends", "budget"])}. Write na, optional, extends="…" or budget=….`,
        );
      }
    }
  }
}

function readContent(node: RootContent, section: OwnSection): void {
  if (node.type === "code") {
    if (/\{\{\s*tree\b/.test(node.value)) section.tree = true;
    return;
  }
  if (node.type === "list") {
    for (const item of node.children) {
      const [paragraph] = item.children;
      if (paragraph?.type !== "paragraph") continue;
      const [strong, ...rest] = paragraph.children;
      if (strong?.type === "strong") {
        const value = rest
          .map((child) => toString(child))
          .join("")
          .replace(/^\s*[:：]\s*/, "")
          .trim();
        const fact = /\{\{\s*fact\s+([^}]+?)\s*\}\}/.exec(value)?.[1];
        section.labels.push({
          text: toString(strong),
          default: fact === undefined ? value : "",
          ...(fact === undefined ? {} : { fact }),
        });
      } else {
        section.links ||= paragraph.children.some((child) => child.type === "link");
        addPlaceholder(toString(paragraph), section);
      }
    }
    return;
  }
  const text = toString(node);
  const blocks = [...text.matchAll(/\{\{\s*block\s+([^}]+?)\s*\}\}/g)];
  for (const block of blocks) {
    const [name = "", ...args] = (block[1] ?? "").split(/\s+/);
    section.blocks.push({ name, args });
  }
  if (blocks.length === 0) addPlaceholder(text, section);
}

function addPlaceholder(text: string, section: OwnSection): void {
  if (text.trim() !== "" && !/^\{\{.*\}\}$/.test(text.trim())) section.placeholders.push(text.trim());
}

/** In CommonMark a bare fence inside a fence closes it: a template copied out of a document loses its sections so. */
function refuseHeadingsInFences(path: string, tree: Root, source: string): void {
  const lines = source.split(/\r\n|\n|\r/);
  for (const node of tree.children) {
    if (node.type !== "code" || !node.position) continue;
    const { start, end } = node.position;
    for (let line = start.line + 1; line <= end.line; line++) {
      const text = lines[line - 1] ?? "";
      if (!/^(#\s+\{\{path\}\}|##\s)/.test(text)) continue;
      const closing = /^\s*(```+|~~~+)\s*$/.test(lines[end.line - 1] ?? "")
        ? `line ${end.line} closes`
        : "nothing closes";
      throw new SetUpError(
        `${path}:${line}: the heading \`${text}\` stands inside the fence that line ${start.line} opens and ${closing}. Give the outer fence more backticks, or none.`,
      );
    }
  }
}

function refuseUnknownWords(path: string, source: string): void {
  source.split(/\r\n|\n|\r/).forEach((text, index) => {
    for (const match of text.matchAll(/\{\{\s*([\w-]*)[^}]*\}\}/g)) {
      const word = match[1] ?? "";
      if (!words.includes(word))
        throw new SetUpError(
          `${path}:${index + 1}: \`${match[0]}\` means nothing in a template${didYouMean(word, words)}. Known are ${words.join(", ")}.`,
        );
    }
  });
}
