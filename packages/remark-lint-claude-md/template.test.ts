import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { footerFor, loadTemplate, titleFor } from "./template.ts";

const docs = new URL("../../docs/", import.meta.url);
const repository = (path: string): string => readFileSync(new URL(`../${path}`, docs), "utf8");
const load = (files: Record<string, string>, path = "docs/child.md") =>
  loadTemplate(path, (wanted) => files[wanted]);

const base =
  "# {{path}}/CLAUDE.md\n\n## Purpose\n\n## Stack\n- **Image**: Docker\n- **Needs**: \n\n## Notes\n- security\n";
const child = (text: string) => ({
  "docs/base.md": base,
  "docs/child.md": `<!--template extends="./base.md"-->\n${text}`,
});

describe("the repository's templates", () => {
  const headings = [
    "🎯 目的・役割",
    "🏗\u{FE0F} 技術構成",
    "📁 ディレクトリ構造",
    "☁\u{FE0F} AWS リソース",
    "🔄 デプロイメント",
    "🔧 主要機能",
    "💡 運用パターン",
    "📊 監視・ログ",
    "🔗 関連ディレクトリ",
    "📝 運用メモ",
  ];
  const labels = [
    ["インフラ", "コンテナ", "オーケストレーション", "依存関係"],
    ["サービス", "リージョン", "環境設定"],
    ["デプロイ戦略", "パイプライン", "環境切り替え"],
    ["監視項目", "ログ出力", "アラート設定"],
  ];

  test.each(["infra", "package", "meta"])("template-%s has the ten headings and thirteen labels", (name) => {
    const template = loadTemplate(`docs/template-${name}.md`, repository);
    expect(template.sections.map((section) => section.heading)).toEqual(headings);
    const filled = template.sections.map((section) => section.labels.map((label) => label.text));
    expect(filled.filter((texts) => texts.length > 0)).toEqual(labels);
    expect(template.sections.map((section) => section.tree)).toEqual(
      headings.map((heading) => heading.startsWith("📁")),
    );
    expect(template.budget).toBe({ infra: 2400, package: 900, meta: 600 }[name]);
    expect(titleFor(template, "workers/item")).toBe("workers/item/CLAUDE.md");
    expect(titleFor(template, "")).toBe("CLAUDE.md");
    expect(footerFor(template, "workers/item")).toBe(
      `*雛形: [docs/template-${name}.md](../../docs/template-${name}.md)*`,
    );
  });

  test("nothing is not applicable where Noren runs on AWS", () => {
    expect(
      loadTemplate("docs/template-infra.md", repository).sections.filter((section) => section.na),
    ).toEqual([]);
  });
});

test("a child marks, restates and appends sections, and inherits the rest", () => {
  const template = load(
    child(
      "<!--template budget=90-->\n\n## Stack\n<!--template na-->\n- **Image**: \n- **Needs**: {{fact needs}}\n\n## More\n<!--template optional-->\n{{block table env}}\n",
    ),
  );
  expect(template).toMatchObject({
    budget: 90,
    title: "{{path}}/CLAUDE.md",
    sections: [
      { heading: "Purpose" },
      {
        heading: "Stack",
        na: true,
        labels: [
          { text: "Image", default: "" },
          { text: "Needs", default: "", fact: "needs" },
        ],
      },
      { heading: "Notes", placeholders: ["security"] },
      { heading: "More", optional: true, placeholders: [] },
    ],
  });
});

test("a marked section without content keeps the fields of its base", () => {
  const [, stack] = load(child("## Stack\n<!--template na-->\n")).sections;
  expect(stack).toMatchObject({
    na: true,
    labels: [{ text: "Image", default: "Docker" }, { text: "Needs" }],
  });
});

describe("a template is refused, with file and line,", () => {
  const refused: [string, Record<string, string>, string][] = [
    [
      "when a section of the base is renamed",
      child("## Purposes\n"),
      "docs/child.md:2: `Purposes` is not a section of docs/base.md, which has `Purpose`",
    ],
    [
      "when sections of the base are reordered",
      child("## Stack\n## Purpose\n"),
      "docs/child.md:3: `Purpose` stands in another order than in docs/base.md",
    ],
    [
      "when a field of the base is dropped",
      child("## Stack\n- **Needs**:\n"),
      "docs/child.md:2: `Stack` restates the section of docs/base.md without its field `Image`",
    ],
    [
      "when a section of the base becomes optional",
      child("## Notes\n<!--template optional-->\n"),
      "docs/child.md:2: `Notes` is a section of docs/base.md and cannot become optional",
    ],
    [
      "when an appended section stands before the base's",
      child("## Weather\n## Notes\n"),
      "docs/child.md:3: `Notes` stands in another order",
    ],
    ["when it changes the title", child("# x\n"), "docs/child.md: the title `x` is not `{{path}}/CLAUDE.md`"],
    [
      "when a heading stands twice",
      child("## Notes\n## Notes\n"),
      "docs/child.md:3: `Notes` already stands on line 2",
    ],
    [
      "when a marker means nothing",
      child("## Notes\n<!--template optionl-->\n"),
      "docs/child.md:3: `optionl` means nothing in a template (did you mean `optional`?)",
    ],
    [
      "when a word in braces means nothing",
      child("## Notes\n{{tre}}\n"),
      "docs/child.md:3: `{{tre}}` means nothing in a template (did you mean `tree`?)",
    ],
    [
      "when a marker stands above the sections",
      child("<!--template na-->\n"),
      "docs/child.md:2: `na` must stand under the section",
    ],
    [
      "when its base does not exist",
      { "docs/child.md": '<!--template extends="./none.md"-->' },
      "docs/child.md names the template `docs/none.md`, which does not exist",
    ],
    [
      "when templates extend each other",
      { "docs/child.md": '<!--template extends="./child.md"-->' },
      "the templates extend each other: docs/child.md → docs/child.md",
    ],
    [
      "when its base lies outside",
      { "docs/child.md": '<!--template extends="../../x.md"-->' },
      "docs/child.md: `../../x.md` leaves the repository",
    ],
    [
      "when it has no title",
      { "docs/child.md": "## Purpose\n" },
      "docs/child.md:1 has no `# {{path}}/…` heading",
    ],
    [
      "when a base has an optional section",
      { "docs/child.md": "# {{path}}\n## A\n<!--template optional-->\n" },
      "docs/child.md:2: `A` is optional, which only a template that extends another may say",
    ],
    [
      "when an inner fence closed the outer one",
      { "docs/child.md": "# {{path}}\n```markdown\n## A\n```\n" },
      "docs/child.md:3: the heading `## A` stands inside the fence that line 2 opens and line 4 closes",
    ],
  ];
  test.each(refused)("%s", (_, files, message) => {
    expect(() => load(files)).toThrow(message);
  });
});
