import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Copy, type Found } from "./testing-copy.ts";

/** One lie in one document. */
interface Lie {
  /** `rule/kind` of the finding; several where one lie breaks several things. */
  finds: string;
  file: string;
  tell: (text: string) => string;
  /** A text in the line that is blamed, once the lie is told. */
  at: string;
  /** `fix` takes the lie back. */
  fixed?: true;
}

function replaced(from: string | RegExp, to: string): (text: string) => string {
  return (text) => {
    const after = text.replace(from, to);
    if (after === text) throw new Error(`${String(from)} is not in the document`);
    return after;
  };
}

/** The line (with its end) that holds `part` is gone. */
function without(part: string): (text: string) => string {
  return (text) => {
    const line = text.split("\n").find((each) => each.includes(part));
    if (line === undefined) throw new Error(`${part} is not in the document`);
    return text.replace(`${line}\n`, "");
  };
}

/** `line` stands at the end of the last section. */
function adding(line: string): (text: string) => string {
  return replaced(/\n\n---\n/, `\n${line}\n\n---\n`);
}

function lastRowOf(region: string): (text: string) => string {
  const pattern = new RegExp(`(<!--claude-md ${region}-->\\n[^]*?)\\n[^\\n]*\\n<!--claude-md end-->`);
  return replaced(pattern, "$1\n<!--claude-md end-->");
}

const marked = (region: string): string => `<!--claude-md ${region}-->`;

const lies: Record<string, Lie> = {
  "a size": {
    finds: "fields/bound",
    file: "workers/item/CLAUDE.md",
    tell: replaced(/\d+\/(\d+) ×/, "128/$1 ×"),
    at: "128/",
    fixed: true,
  },
  "how long logs are kept": {
    finds: "fields/bound",
    file: "workers/product/CLAUDE.md",
    tell: replaced(/production \d+ 日/, "production 3 日"),
    at: "production 3 日",
    fixed: true,
  },
  "an approval": {
    finds: "fields/bound",
    file: "copilot/pos-web-app/CLAUDE.md",
    tell: replaced("`production`(承認あり)", "`production`"),
    at: "**パイプライン**",
    fixed: true,
  },
  "a dependency": {
    finds: "fields/bound",
    file: "packages/outbox/CLAUDE.md",
    tell: replaced("**依存関係**: ", "**依存関係**: `left-pad`、"),
    at: "left-pad",
    fixed: true,
  },
  "an alarm": {
    finds: "fields/bound",
    file: "copilot/worker-item/CLAUDE.md",
    tell: replaced(/(?<=アラート設定.*)`dead-letters`/, "`dead-letter`"),
    at: "`dead-letter`",
    fixed: true,
  },
  "a field that is gone": {
    finds: "fields/missing",
    file: "workers/scheduled/CLAUDE.md",
    tell: without("**リージョン**"),
    at: "AWS リソース",
  },
  "a field without a value": {
    finds: "fields/empty",
    file: "copilot/worker-product/CLAUDE.md",
    tell: replaced(/(\*\*監視項目\*\*:).*/, "$1"),
    at: "**監視項目**",
  },
  ...Object.fromEntries(
    Object.entries({
      services: "copilot/CLAUDE.md",
      secrets: "copilot/CLAUDE.md",
      alarms: "copilot/CLAUDE.md",
      environments: "copilot/environments/CLAUDE.md",
      mappings: "copilot/environments/addons/CLAUDE.md",
      pipelines: "copilot/pipelines/CLAUDE.md",
      messages: "copilot/backend-outbox/CLAUDE.md",
      variables: "copilot/backend-outbox/CLAUDE.md",
      "env-diff": "copilot/backend-outbox/CLAUDE.md",
      schedule: "jobs/CLAUDE.md",
    }).map(([region, file]): [string, Lie] => [
      `a table without its last row: ${region}`,
      { finds: "regions/stale", file, tell: lastRowOf(region), at: marked(region), fixed: true },
    ]),
  ),
  "a region that nobody knows, and one that is missed": {
    finds: "regions/absent regions/unknown",
    file: "copilot/worker-transaction/CLAUDE.md",
    tell: replaced(marked("variables"), marked("variable")),
    at: "",
  },
  "a region that is gone": {
    finds: "regions/absent",
    file: "packages/events/CLAUDE.md",
    tell: replaced(/<!--claude-md events-->[^]*?<!--claude-md end-->\n/, ""),
    at: "主要機能",
  },
  "a region without its end": {
    finds: "regions/absent regions/unbalanced",
    file: "copilot/worker-ec-order/CLAUDE.md",
    tell: replaced(new RegExp(`(${marked("env-diff")}[^]*?)<!--claude-md end-->\\n`), "$1"),
    at: "",
  },
  "a title": {
    finds: "title/mismatch",
    file: "workers/CLAUDE.md",
    tell: replaced("# workers/CLAUDE.md", "# worker/CLAUDE.md"),
    at: "# worker/",
    fixed: true,
  },
  "a section that is gone": {
    finds: "sections/missing",
    file: "packages/web/CLAUDE.md",
    tell: replaced(/## 💡[^]*?(?=## )/, ""),
    at: "",
  },
  "sections in another order": {
    finds: "sections/order",
    file: "packages/service/CLAUDE.md",
    tell: replaced(/(## 🔧[^]*?)(## 💡[^]*?)(?=## )/, "$2$1"),
    at: "## ",
  },
  "a section without a word": {
    finds: "sections/empty",
    file: "packages/commerce/CLAUDE.md",
    tell: replaced(/(## 🎯 .*\n)[^]*?(?=\n## )/, "$1"),
    at: "🎯",
  },
  "a section twice": {
    finds: "sections/duplicate",
    file: "packages/database/CLAUDE.md",
    tell: replaced(/(## 🔧[^]*?)(?=## 💡)/, "$1$1"),
    at: "🔧",
  },
  "a heading without its variation selector": {
    finds: "sections/bytes",
    file: "packages/worker/CLAUDE.md",
    tell: replaced("\u{1F3D7}\u{FE0F}", "\u{1F3D7}"),
    at: "技術構成",
    fixed: true,
  },
  "a heading that the template has not": {
    finds: "sections/unknown",
    file: "packages/consumer/CLAUDE.md",
    tell: replaced(/\n---\n/, "\n## 🎁 おまけ\n- ある\n\n---\n"),
    at: "おまけ",
  },
  "what is still to be written": {
    finds: "placeholder/mark",
    file: "copilot/overrides/CLAUDE.md",
    tell: adding("- TODO: 障害の時の手順"),
    at: "TODO",
  },
  "a link to nothing": {
    finds: "links/missing",
    file: "packages/test-postgres/CLAUDE.md",
    tell: adding("- [手順](../database/runbook.md)"),
    at: "runbook.md",
  },
  "a link in another case": {
    finds: "links/case",
    file: "workers/external-ec/CLAUDE.md",
    tell: replaced("](../../packages/", "](../../Packages/"),
    at: "../../Packages/",
    fixed: true,
  },
  "an anchor that no heading has": {
    finds: "links/anchor",
    file: "packages/mall-sandbox/CLAUDE.md",
    tell: adding("- [前](../CLAUDE.md#そんな見出しは無い)"),
    at: "そんな見出しは無い",
  },
  "a document that does not know the one above it": {
    finds: "related/parent",
    file: "docs/images/CLAUDE.md",
    tell: without("](../CLAUDE.md)"),
    at: "",
  },
  "a manifest that does not know its code": {
    finds: "related/pair",
    file: "functions/email-webhook/CLAUDE.md",
    tell: without("](../../copilot/backend-outbox/)"),
    at: "",
  },
  "a file that is gone": {
    finds: "tree/phantom",
    file: "workers/transaction/CLAUDE.md",
    tell: replaced("├── main.ts", "├── legacy.ts\n├── main.ts"),
    at: "legacy.ts",
    fixed: true,
  },
  "a file that is not told of": {
    finds: "tree/omitted",
    file: "packages/api-contract/CLAUDE.md",
    tell: without("└── tsconfig.json"),
    at: "packages/api-contract/",
    fixed: true,
  },
  "a file told of twice": {
    finds: "tree/twice",
    file: "packages/commerce/CLAUDE.md",
    tell: replaced("├── package.json", "├── package.json\n├── package.json"),
    at: "package.json",
    fixed: true,
  },
  "a file shown as a directory": {
    finds: "tree/kind",
    file: "packages/pos-web-app/CLAUDE.md",
    tell: replaced("├── package.json", "├── package.json/"),
    at: "package.json/",
    fixed: true,
  },
  "a tree of another directory": {
    finds: "tree/root",
    file: "packages/ec-web-app/CLAUDE.md",
    tell: replaced("\npackages/ec-web-app/\n", "\npackages/shop-app/\n"),
    at: "packages/shop-app/",
    fixed: true,
  },
  "no tree at all": {
    finds: "tree/absent",
    file: ".github/CLAUDE.md",
    tell: replaced(/```text\n[^]*?```/, "書かない。"),
    at: "",
  },
  "how many services": {
    finds: "claims/count",
    file: "copilot/CLAUDE.md",
    tell: adding("- 14 サービスが動いている"),
    at: "14 サービス",
  },
  "how many workers share a folder": {
    finds: "claims/count",
    file: "copilot/addons/worker/CLAUDE.md",
    tell: adding("- 9 つの worker が使う"),
    at: "9 つの worker",
  },
  "a workload's old name": {
    finds: "claims/name",
    file: "backend-services/CLAUDE.md",
    tell: adding("- 期限は worker-deadline が見る"),
    at: "worker-deadline",
  },
  "how many topics": {
    finds: "claims/count",
    file: "copilot/backend-outbox/CLAUDE.md",
    tell: adding("- 5 つのトピックを宣言する"),
    at: "5 つのトピック",
  },
  "when a job runs": {
    finds: "claims/value",
    file: "copilot/job-daily/CLAUDE.md",
    tell: adding("- 毎日 04:45 JST に始まる"),
    at: "04:45",
  },
  "when a job runs, beside its name in the tree": {
    finds: "claims/value",
    file: "copilot/CLAUDE.md",
    tell: replaced(/03:30 JST/, "05:15 JST"),
    at: "05:15 JST",
  },
  "how many zones": {
    finds: "claims/value",
    file: "copilot/environments/production/CLAUDE.md",
    tell: adding("- 5 AZ に広げた"),
    at: "5 AZ",
  },
  "a range of addresses": {
    finds: "claims/value",
    file: "copilot/environments/staging/CLAUDE.md",
    tell: adding("- VPC は 10.99.0.0/16"),
    at: "10.99.0.0/16",
  },
  "a version of Node": {
    finds: "claims/value",
    file: "CLAUDE.md",
    tell: adding("- Node 18 で動く"),
    at: "Node 18",
  },
  "an orchestrator that is not there": {
    finds: "claims/oneOf",
    file: "workers/transaction/CLAUDE.md",
    tell: adding("- EKS の上で動く"),
    at: "EKS",
  },
  "which environments": {
    finds: "claims/set claims/set",
    file: "copilot/environments/addons/CLAUDE.md",
    tell: adding("- 環境: staging、production、demo"),
    at: "demo",
  },
  "an engine that is not there": {
    finds: "claims/oneOf",
    file: "copilot/pipelines/staging/CLAUDE.md",
    tell: adding("- 配備は GitHub Actions が行う"),
    at: "GitHub Actions",
  },
  "a strategy that is not there": {
    finds: "claims/oneOf",
    file: "copilot/ec-web-app/CLAUDE.md",
    tell: adding("- デプロイはブルーグリーン"),
    at: "ブルーグリーン",
  },
  "a region in prose": {
    finds: "claims/value",
    file: "copilot/environments/customer/CLAUDE.md",
    tell: adding("- バックアップは us-west-2 に置く"),
    at: "us-west-2",
  },
  "a version of the CLI": {
    finds: "claims/value",
    file: "copilot/backend-api/CLAUDE.md",
    tell: adding("- CLI 1.30.0 で確かめた"),
    at: "1.30.0",
  },
  "a branch": {
    finds: "claims/value",
    file: "copilot/pipelines/production/CLAUDE.md",
    tell: adding("- `main` ブランチに push する"),
    at: "`main`",
  },
  "a port": {
    finds: "claims/value",
    file: "backend-services/api/CLAUDE.md",
    tell: adding("- ポート 9999 を開ける"),
    at: "9999",
  },
  "a command that never was": {
    finds: "commands/command",
    file: "copilot/worker-notification/CLAUDE.md",
    tell: adding("- `copilot svc restart --name worker-notification`"),
    at: "restart",
  },
  "a flag that never was": {
    finds: "commands/flag",
    file: "copilot/worker-scheduled/CLAUDE.md",
    tell: adding("- `copilot svc logs --name worker-scheduled --tail 10`"),
    at: "--tail",
  },
  "an environment that is gone": {
    finds: "commands/flag-value",
    file: "copilot/worker-external-ec/CLAUDE.md",
    tell: adding("- `copilot svc deploy --name worker-external-ec --env demo`"),
    at: "--env demo",
  },
  "a job's old name": {
    finds: "commands/flag-value",
    file: "jobs/daily/CLAUDE.md",
    tell: adding("- `copilot job run --name job-nightly --env staging`"),
    at: "job-nightly",
  },
  "a script that is not there": {
    finds: "commands/script",
    file: ".ci/CLAUDE.md",
    tell: adding("- `npm run check:everything`"),
    at: "check:everything",
  },
  "a program that is not there": {
    finds: "commands/file",
    file: "packages/remark-lint-claude-md/CLAUDE.md",
    tell: adding("- `node bild.ts 1.0.0`"),
    at: "bild.ts",
  },
  "a package that is not there": {
    finds: "commands/filter",
    file: "workers/notification/CLAUDE.md",
    tell: adding("- `pnpm --filter worker-mail test`"),
    at: "worker-mail",
  },
  "an event's name": {
    finds: "commands/event",
    file: "backend-services/outbox/CLAUDE.md",
    tell: adding("- `sale.complete` を送る"),
    at: "sale.complete",
  },
  "too many words": {
    finds: "size/file",
    file: "packages/copilot-manifest/CLAUDE.md",
    tell: adding(`- ${"この道具について、知っておくとよいことをここに長々と書いていく。".repeat(30)}`),
    at: "# packages/copilot-manifest",
  },
  "the same words twice": {
    finds: "repetition/twin",
    file: "backend-services/CLAUDE.md",
    tell: adding(
      "- 投げる例外で次が決まる: 普通の Error は再試行、`Unprocessable` はすぐ止め置き、`RetryAfter` は数えずに待つ",
    ),
    at: "",
  },
  "a comment that silences": {
    finds: "control/forbidden",
    file: "docs/CLAUDE.md",
    tell: adding("<!--lint disable claude-md-tree-->"),
    at: "lint disable",
  },
};

let copy: Copy;
let before: Found[];

function keyOf({ file, ruleId, kind, message }: Found): string {
  return [file, ruleId, kind, message].join("\0");
}

/** What `claude-md check` finds now and did not before. */
function fresh(): Found[] {
  const known = new Set(before.map(keyOf));
  return copy.check().filter((found) => !known.has(keyOf(found)));
}

beforeAll(() => {
  copy = new Copy();
  // Work in progress may be behind its manifests; what a fix cannot mend is known before a lie is told.
  copy.fix();
  before = copy.check();
});

afterAll(() => copy.remove());

describe("lies", () => {
  const told = new Map<string, { true: string; lied: string; left: string }>();
  let found: Found[];

  beforeAll(() => {
    for (const { file, tell, fixed } of Object.values(lies)) {
      const known = told.get(file);
      const text = known ?? { true: copy.read(file), lied: copy.read(file), left: copy.read(file) };
      told.set(file, {
        true: text.true,
        lied: tell(text.lied),
        left: fixed ? text.left : tell(text.left),
      });
    }
    for (const [file, { lied }] of told) copy.write(file, lied);
    found = fresh();
  });

  test.each(Object.entries(lies))("%s", (_, { file, finds, at }) => {
    const kinds = finds.split(" ").toSorted();
    const lines = told.get(file)?.lied.split("\n") ?? [];
    const blamed = found
      .filter((each) => each.file === file && (lines[each.line - 1] ?? "").includes(at))
      .map(({ ruleId, kind }) => `${ruleId.replace("claude-md-", "")}/${kind}`)
      .filter((each) => kinds.includes(each));
    expect(blamed.toSorted()).toEqual(kinds);
  });

  test("nothing else is found", () => {
    const expected = Object.values(lies).flatMap(({ file, finds }) =>
      finds.split(" ").map((each) => `${file} ${each}`),
    );
    // Of two documents with the same words, each is told of the other.
    expected.push("workers/CLAUDE.md repetition/twin");
    // A lie that adds words may be one too many for a document that is full.
    const told = found
      .map(({ file, ruleId, kind }) => `${file} ${ruleId.replace("claude-md-", "")}/${kind}`)
      .filter((each) => !each.endsWith("size/file") || expected.includes(each));
    expect(told.toSorted()).toEqual(expected.toSorted());
  });

  test("a fact names the place where it stands", () => {
    const bound = found.filter(({ ruleId, kind }) =>
      /fields-bound|regions-stale|claims-/.test(`${ruleId}-${kind}`),
    );
    expect(bound.length).toBeGreaterThan(20);
    for (const { related, message } of bound) {
      const [, file = "", line = ""] = /^(.*):(\d+)$/.exec(related ?? "") ?? [];
      expect([message, copy.read(file).split("\n").length >= Number(line)]).toEqual([message, true]);
    }
    const sized = found.find(({ file, kind }) => file === "workers/item/CLAUDE.md" && kind === "bound");
    expect(sized?.related).toMatch(/^copilot\/worker-item\/manifest\.yml:\d+$/);
  });

  test("a fix takes back what it is sure of, and changes no other byte", () => {
    copy.fix();
    for (const [file, { left }] of told) expect([file, copy.read(file)]).toEqual([file, left]);
  });

  afterAll(() => {
    for (const [file, { true: text }] of told) copy.write(file, text);
  });
});

describe("the world moves on, the documents stay", () => {
  test("a size, a schedule, a branch, a script, a file and a directory that changed: all that speaks of them is found", () => {
    const moved = (file: string, from: string | RegExp, to: string): void =>
      copy.write(file, replaced(from, to)(copy.read(file)));
    moved("copilot/worker-item/manifest.yml", /^memory: .*$/m, "memory: 3072");
    moved("copilot/job-daily/manifest.yml", /schedule: .*/, 'schedule: "7 7 * * *"');
    moved("copilot/pipelines/customer/manifest.yml", /branch: .*/, "branch: paying");
    moved("workers/transaction/package.json", '"test":', '"prove":');
    copy.write("workers/product/added.ts", "");
    copy.write("workers/returns/main.ts", "");
    copy.stage();
    const found = fresh().map(({ file, ruleId, kind, related = "" }) =>
      `${file} ${ruleId.replace("claude-md-", "")}/${kind} ${related.replace(/:\d+$/, "")}`.trimEnd(),
    );
    expect([...new Set(found)].toSorted()).toEqual(
      [
        "copilot/worker-item/CLAUDE.md fields/bound copilot/worker-item/manifest.yml",
        "copilot/worker-item/CLAUDE.md regions/stale copilot/worker-item/manifest.yml",
        "workers/item/CLAUDE.md fields/bound copilot/worker-item/manifest.yml",
        "copilot/CLAUDE.md claims/value copilot/job-daily/manifest.yml",
        "copilot/CLAUDE.md regions/stale copilot/backend-api/manifest.yml",
        "copilot/job-daily/CLAUDE.md claims/value copilot/job-daily/manifest.yml",
        "copilot/job-daily/CLAUDE.md fields/bound copilot/job-daily/manifest.yml",
        "jobs/CLAUDE.md regions/stale copilot/job-daily/manifest.yml",
        "jobs/daily/CLAUDE.md fields/bound copilot/job-daily/manifest.yml",
        "copilot/CLAUDE.md fields/bound copilot/pipelines/staging/manifest.yml",
        "copilot/environments/CLAUDE.md regions/stale copilot/environments/staging/manifest.yml",
        "copilot/environments/customer/CLAUDE.md fields/bound copilot/pipelines/customer/manifest.yml",
        "copilot/pipelines/CLAUDE.md fields/bound copilot/pipelines/staging/manifest.yml",
        "copilot/pipelines/CLAUDE.md regions/stale copilot/pipelines/staging/manifest.yml",
        "copilot/pipelines/customer/CLAUDE.md claims/value copilot/pipelines/customer/manifest.yml",
        "copilot/pipelines/customer/CLAUDE.md fields/bound copilot/pipelines/customer/manifest.yml",
        "copilot/pipelines/customer/overrides/CLAUDE.md fields/bound copilot/pipelines/customer/manifest.yml",
        "workers/transaction/CLAUDE.md commands/script workers/transaction/package.json",
        "workers/product/CLAUDE.md tree/omitted",
        "workers/CLAUDE.md tree/omitted",
        "workers/returns/CLAUDE.md presence/missing",
      ].toSorted(),
    );
    copy.fix();
    // Left to people: prose about the hour and the branch, a command, a document that is still to be written.
    expect([...new Set(fresh().map(({ file, ruleId }) => `${file} ${ruleId}`))].toSorted()).toEqual([
      "copilot/CLAUDE.md claude-md-claims",
      "copilot/job-daily/CLAUDE.md claude-md-claims",
      "copilot/pipelines/customer/CLAUDE.md claude-md-claims",
      "workers/returns/CLAUDE.md claude-md-presence",
      "workers/transaction/CLAUDE.md claude-md-commands",
    ]);
    expect(copy.read("workers/item/CLAUDE.md")).toContain("/3072 ");
  });

  test("an environment that is given up leaves no document that still believes in it", () => {
    for (const file of ["copilot/CLAUDE.md", "copilot/environments/CLAUDE.md"])
      expect(copy.read(file)).toMatch(/\bpublic\b/);
    copy.delete("copilot/environments/public");
    copy.stage();
    const found = fresh();
    for (const [file, finds] of [
      ["copilot/CLAUDE.md", "fields/bound"],
      ["copilot/environments/CLAUDE.md", "fields/bound"],
      ["copilot/environments/CLAUDE.md", "regions/stale"],
      ["copilot/environments/CLAUDE.md", "tree/phantom"],
      ["copilot/environments/CLAUDE.md", "links/missing"],
      ["copilot/environments/CLAUDE.md", "claims/count"],
      ["copilot/environments/CLAUDE.md", "claims/set"],
      ["copilot/backend-api/CLAUDE.md", "regions/stale"],
      ["workers/item/CLAUDE.md", "fields/bound"],
    ])
      expect(
        found
          .filter((each) => each.file === file)
          .map(({ ruleId, kind }) => `${ruleId.replace("claude-md-", "")}/${kind}`),
      ).toContain(finds);
    copy.fix();
    const text = copy.read("copilot/environments/CLAUDE.md");
    expect(/<!--claude-md environments-->\n(.*)/.exec(text)?.[1]).not.toContain("public");
  });
});
