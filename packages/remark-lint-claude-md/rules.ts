import { fields } from "./rules/fields.ts";
import { links } from "./rules/links.ts";
import { placeholder } from "./rules/placeholder.ts";
import { presence } from "./rules/presence.ts";
import { sections } from "./rules/sections.ts";
import { title } from "./rules/title.ts";
import { tree, type TreeOptions } from "./rules/tree.ts";

/** Every rule by its name, in the order of the documentation. */
export const rules = { presence, title, sections, fields, placeholder, links, tree };

export type RuleName = keyof typeof rules;

/** The options that a rule takes; most take none. */
export type RuleOptions = { [Name in Exclude<RuleName, "tree">]: Record<string, never> } & {
  tree: TreeOptions;
};
