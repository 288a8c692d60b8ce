import { claims } from "./rules/claims.ts";
import { commands } from "./rules/commands.ts";
import { control } from "./rules/control.ts";
import { fields } from "./rules/fields.ts";
import { links } from "./rules/links.ts";
import { placeholder } from "./rules/placeholder.ts";
import { presence } from "./rules/presence.ts";
import { regions } from "./rules/regions.ts";
import { related, type RelatedOptions } from "./rules/related.ts";
import { repetition, type RepetitionOptions } from "./rules/repetition.ts";
import { sections } from "./rules/sections.ts";
import { size, type SizeOptions } from "./rules/size.ts";
import { title } from "./rules/title.ts";
import { tree, type TreeOptions } from "./rules/tree.ts";

/** Every rule by its name, in the order of the documentation. */
export const rules = {
  presence,
  title,
  sections,
  fields,
  placeholder,
  links,
  related,
  tree,
  regions,
  claims,
  commands,
  size,
  repetition,
  control,
};

export type RuleName = keyof typeof rules;

interface Options {
  related: RelatedOptions;
  tree: TreeOptions;
  size: SizeOptions;
  repetition: RepetitionOptions;
}

/** The options that a rule takes; most take none. */
export type RuleOptions = {
  [Name in RuleName]: Name extends keyof Options ? Options[Name] : Record<string, never>;
};
