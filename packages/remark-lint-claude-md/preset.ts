import remarkLint from "remark-lint";
import remarkPresetLintRecommended from "remark-preset-lint-recommended";
import remarkValidateLinks from "remark-validate-links";
import type { PluggableList } from "unified";
import remarkLintClaudeMd from "./index.ts";

/**
 * The plugin with a second witness for links and style, and the settings that the templates are written in.
 * `remark-lint` comes first: its comments reach only what runs after it.
 */
const preset: { settings: object; plugins: PluggableList } = {
  settings: {
    bullet: "-",
    emphasis: "*",
    strong: "*",
    rule: "-",
    ruleRepetition: 3,
    ruleSpaces: false,
    listItemIndent: "one",
    fences: true,
  },
  plugins: [
    remarkLint,
    remarkPresetLintRecommended,
    // It would start two shells per file to ask git where the repository is hosted.
    [remarkValidateLinks, { repository: false }],
    remarkLintClaudeMd,
  ],
};

export default preset;
