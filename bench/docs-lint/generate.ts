import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A repository in memory: text by path. */
export type Files = Map<string, string>;

const template = `# {{path}}/CLAUDE.md

## 🎯 目的・役割

## 🏗️ 技術構成
- **インフラ**: AWS
- **依存関係**: 

## 📁 ディレクトリ構造
\`\`\`text
{{tree}}
\`\`\`

## ☁️ AWS リソース
- **サービス**: 
- **リージョン**: 

## 🔧 主要機能
- 機能の説明

## 🔗 関連ディレクトリ
- [関連ディレクトリ](../path/)

## 📝 運用メモ
- セキュリティ設定

---
*雛形: {{template}}*
`;

const words =
  "伝票 在庫 入荷 出荷 棚卸 精算 取引 返品 会員 予約 締切 集計 通知 照合 台帳 店舗 倉庫 商品 価格 税率 領収 支払 送料 配送 注文 取消".split(
    " ",
  );

/** Numbers between 0 and 1 that a seed decides (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * A repository of `count` directories, ten below each, every one with a true document of about 2.4 kB: a tree, links
 * to its neighbours with anchors, prose that no other document has. The seed decides every byte.
 */
export function generate(count: number, seed = 1): Files {
  const next = random(seed);
  const dirs = [""];
  for (let index = 1; index < count; index++) {
    const parent = dirs[Math.floor((index - 1) / 10)] ?? "";
    dirs.push(`${parent === "" ? "" : `${parent}/`}d${index}`);
  }
  const children = Map.groupBy(dirs.slice(1), (dir) => (dir.includes("/") ? dirname(dir) : ""));
  const files: Files = new Map([
    [
      "claude-md.config.mjs",
      'export default { templates: [{ files: ["**"], template: "template.md" }], rules: { tree: ["error", { globs: "cover" }] } };\n',
    ],
    [".remarkrc.mjs", ""],
    ["template.md", template],
  ]);
  for (const dir of dirs) {
    if (dir !== "") files.set(`${dir}/main.ts`, `export const name = ${JSON.stringify(dir)};\n`);
    files.set(join(dir, "CLAUDE.md"), document(dir, children.get(dir) ?? [], next));
  }
  return files;
}

function document(dir: string, below: string[], next: () => number): string {
  const sentence = (): string =>
    `${Array.from({ length: 9 }, () => words[Math.floor(next() * words.length)]).join("の")}は${Math.floor(next() * 1e9)}番で\`main.ts\`が受け持つ。`;
  const up = dir === "" ? "" : "../".repeat(dir.split("/").length);
  const names = [
    ...(dir === "" ? ["claude-md.config.mjs", "template.md"] : ["main.ts"]),
    ...below.map((child) => `${child.slice(child.lastIndexOf("/") + 1)}/`),
  ];
  const links = [
    ...(dir === "" ? [] : [`- [上](../CLAUDE.md#-主要機能) ${sentence()}`]),
    ...below.slice(0, 5).map((child) => `- [下](${child.slice(child.lastIndexOf("/") + 1)}/CLAUDE.md)`),
    `- [根](${up}CLAUDE.md)`,
  ];
  const tree = names.map(
    (name, index) =>
      `${index === names.length - 1 ? "└── " : "├── "}${name}  # ${words[index % words.length]}`,
  );
  return `# ${dir === "" ? "" : `${dir}/`}CLAUDE.md

## 🎯 目的・役割
${sentence()}${sentence()}

## 🏗️ 技術構成
- **インフラ**: AWS
- **依存関係**: ${sentence()}

## 📁 ディレクトリ構造
\`\`\`text
${dir === "" ? "." : dir}/
${tree.join("\n")}
\`\`\`

## ☁️ AWS リソース
- **サービス**: ${sentence()}
- **リージョン**: ap-northeast-1

## 🔧 主要機能
- ${sentence()}
- ${sentence()}

## 🔗 関連ディレクトリ
${links.join("\n")}

## 📝 運用メモ
- ${sentence()}
- ${sentence()}
- ${sentence()}

${sentence()}${sentence()}

${sentence()}

---
*雛形: [template.md](${up}template.md)*
`;
}

/** Writes the files below `root` and commits them. */
export function commit(files: Files, root: string): void {
  mkdirSync(root, { recursive: true });
  const made = new Set<string>();
  for (const [path, text] of files) {
    const dir = dirname(join(root, path));
    if (!made.has(dir)) mkdirSync(dir, { recursive: true });
    made.add(dir);
    writeFileSync(join(root, path), text);
  }
  const git = (...args: string[]): void => {
    execFileSync("git", ["-c", "user.name=bench", "-c", "user.email=bench@example.com", ...args], {
      cwd: root,
    });
  };
  git("init", "--quiet");
  git("add", "--all");
  git("commit", "--quiet", "--message", "files");
}
