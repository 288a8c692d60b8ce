import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check } from "./check.ts";
import { parse } from "./extract.ts";
import { compareFindings } from "./finding.ts";
import { brief, project, type World } from "./testing.ts";

const template = (name: string): string =>
  readFileSync(new URL(`../../docs/template-${name}.md`, import.meta.url), "utf8");

/** A true document of the repository's own template. */
const truth = `# workers/item/CLAUDE.md

## 🎯 目的・役割
登録された商品から、店ごとの品目を開く。

## 🏗️ 技術構成
- **インフラ**: AWS Copilot
- **コンテナ**: Docker + ECS
- **オーケストレーション**: Worker Service
- **依存関係**: \`worker\`

## 📁 ディレクトリ構造
\`\`\`text
workers/item/
├── main.ts          # 起動
└── open-products.ts
\`\`\`

## ☁️ AWS リソース
- **サービス**: SQS
- **リージョン**: ap-northeast-1
- **環境設定**: staging

## 🔄 デプロイメント
- **デプロイ戦略**: ローリング
- **パイプライン**: staging
- **環境切り替え**: \`--env\`

## 🔧 主要機能
- 品目を開く

## 💡 運用パターン
- 止まったら再起動する

## 📊 監視・ログ
- **監視項目**: キューの深さ
- **ログ出力**: JSON
- **アラート設定**: 滞留

## 🔗 関連ディレクトリ
- [copilot/worker-item](../../copilot/worker-item/)
- [運用](../../copilot/worker-item/CLAUDE.md#-運用パターン)

## 📝 運用メモ
- 二度届いても一度だけ効く

---
*雛形: [docs/template-infra.md](../../docs/template-infra.md)*
`;

function world(document: string): World {
  return {
    files: {
      "docs/template-infra.md": template("infra"),
      "workers/item/CLAUDE.md": document,
      "workers/item/main.ts": "",
      "workers/item/open-products.ts": "",
      "copilot/worker-item/CLAUDE.md": "# x\n\n## 💡 運用パターン\n",
      "copilot/worker-item/manifest.yml": "",
    },
  };
}

function findings(document: string) {
  return check(
    project(world(document), {
      templates: [{ files: ["**"], template: "docs/template-infra.md" }],
      rules: { tree: ["error", { globs: "cover", ellipsis: "error" }] },
    }),
    ["workers/item"],
  );
}

test("a true document has no finding", () => {
  expect(findings(truth)).toEqual([]);
});

test("the template itself, not filled in, is no document", () => {
  const rules = new Set(findings(template("infra")).map((finding) => finding.ruleId));
  expect(rules).toEqual(
    new Set(
      ["title", "sections", "fields", "placeholder", "links", "tree"].map((name) => `claude-md-${name}`),
    ),
  );
});

describe("one thing made untrue is one finding:", () => {
  const mutations: [string, string | RegExp, string, string][] = [
    ["another title", "# workers/item/", "# workers/items/", "title mismatch"],
    ["no title", "# workers/item/CLAUDE.md\n", "", "title absent"],
    ["a section taken away", /## 🔧 [^#]*/u, "", "sections missing"],
    ["a section emptied", "- 品目を開く\n", "", "sections empty"],
    ["a heading without its emoji", "## 🔧 主要機能", "## 主要機能", "sections near-miss"],
    ["a heading one level down", "## 🔧 主要機能", "### 🔧 主要機能", "sections near-miss"],
    ["an invisible character lost", "🏗\u{FE0F} 技術", "🏗 技術", "sections bytes"],
    [
      "a section that does not apply here",
      "- 品目を開く",
      "該当なし — ここには機能と呼べるものが無い",
      "sections not-applicable",
    ],
    ["no footer", /---\n\*雛形.*\n$/, "", "sections footer"],
    ["a field taken away", "- **リージョン**: ap-northeast-1\n", "", "fields missing"],
    ["a field emptied", "**リージョン**: ap-northeast-1", "**リージョン**: ", "fields empty"],
    [
      "a field that does not apply here",
      "ap-northeast-1",
      "該当なし — どの地域でも動くはずだから",
      "fields not-applicable",
    ],
    ["sample text", "- 品目を開く", "- 機能1の説明", "placeholder template"],
    ["a mark", "- 品目を開く", "- 品目を開く(要記入)", "placeholder mark"],
    ["a link to what is not there", "copilot/worker-item/)", "copilot/worker-items/)", "links missing"],
    ["an anchor that is not there", "#-運用パターン", "#-運用", "links anchor"],
    ["a file that is gone", "main.ts ", "index.ts ", "tree phantom,tree omitted"],
    ["a file that is not shown", /├── main.*\n/, "", "tree omitted"],
    ["no tree", /```text[^`]*```/, "なし", "tree absent"],
  ];
  test.each(mutations)("%s", (_, from, to, expected) => {
    const broken = truth.replace(from, to);
    expect(broken).not.toBe(truth);
    const found = findings(broken).map(({ ruleId, kind }) => `${ruleId.replace("claude-md-", "")} ${kind}`);
    expect(found.sort()).toEqual(expected.split(",").sort());
  });
});

test("line endings, a byte order mark and decomposed names change no finding", () => {
  const broken = truth.replace("## 🔧 主要機能", "## 主要機能").replace("main.ts ", "index.ts ");
  const plain = findings(broken).map(brief);
  expect(plain.length).toBeGreaterThan(0);
  expect(findings(broken.replaceAll("\n", "\r\n")).map(brief)).toEqual(plain);
  expect(findings(broken.replaceAll("\n", "\r")).map(brief)).toEqual(plain);
  expect(findings(`\u{FEFF}${broken}`).map(brief)).toEqual(plain);
  expect(findings(truth.replace("パターン)", "パターン)".normalize("NFD")))).toEqual([]);
});

const fragments = fc.constantFrom(
  ..."# |## |### |- |* |1. |> |```|~~~|    |\t|\n|\n\n|\r\n|\r|**|*|_|`|[|](|)|![|<|>|<!--|-->|<a id=|---|===|\\|&#0;|%|%zz|#|[^1]: |[a]: |:|：|🏗|\u{FE0F}|☁|が|が|該当なし|該当なし — |TODO|├── |│   |└── |...|{a,b}|*.ts|../|workers/item/|main.ts|\u{0}|\u{FEFF}|\u{D800}|{{tree}}|x".split(
    "|",
  ),
);

test("no document, however broken, makes a rule throw or point outside of it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fragments, fc.constantFrom(...truth.split(/(?<=\n)/)), fc.string()), {
        maxLength: 60,
      }),
      (parts) => {
        const text = parts.join("");
        const found = findings(text);
        const lines = text.replace(/^\u{FEFF}/u, "").split(/\r\n|\n|\r/);
        for (const finding of found) {
          expect(finding.line).toBeGreaterThanOrEqual(1);
          expect(finding.endLine).toBeLessThanOrEqual(lines.length);
          expect(finding.column).toBeLessThanOrEqual((lines[finding.line - 1] ?? "").length + 1);
          const ends = (finding.endLine - finding.line) * 1e9 + finding.endColumn - finding.column;
          expect(ends).toBeGreaterThanOrEqual(0);
          expect(finding.message).not.toMatch(/undefined|\[object/);
        }
        expect(found).toEqual(found.toSorted(compareFindings));
        expect(findings(text)).toEqual(found);
      },
    ),
    { numRuns: 300 },
  );
});

test("facts are plain data that a cache can hold", () => {
  const facts = parse(truth);
  expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
});
