import GithubSlugger from "github-slugger";
import type { DocFacts } from "./extract.ts";

/**
 * The anchors that GitHub gives to headings in this order: repeated ones get a number.
 * Emoji vanish from a slug, but U+FE0F stays: the anchor of `## ☁️ AWS` begins with an invisible character.
 */
function slugsOf(headings: readonly string[]): string[] {
  const slugger = new GithubSlugger();
  return headings.map((heading) => slugger.slug(heading));
}

/** Makes invisible characters of an anchor visible for a message. */
export function visible(anchor: string): string {
  return anchor.replaceAll("\u{FE0F}", "U+FE0F");
}

/** Every anchor of a document, from headings and raw HTML, in NFC. */
export function anchorsOf(facts: DocFacts): ReadonlySet<string> {
  const all = [...slugsOf(facts.headings.map((heading) => heading.text)), ...facts.anchors];
  return new Set(all.map((anchor) => anchor.normalize("NFC")));
}
