import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const cli = join(import.meta.dirname, "node_modules", "remark-lint-claude-md", "cli.ts");

const workspace = {
  "package.json": '{ "name": "root", "type": "module", "scripts": { "start": "x" } }',
  Dockerfile: "",
  "template.md": "# {{path}}/CLAUDE.md\n",
  "claude-md.config.ts": `import { copilotFacts } from "${import.meta.dirname}/index.ts";
export default {
  templates: [{ files: ["**"], template: "template.md" }],
  rules: { claims: "error", presence: "off", related: "off" },
  facts: [copilotFacts()],
};
`,
  "copilot/.workspace": "application: shop\n",
  "copilot/setup.sh": `export AWS_REGION=eu-west-1
curl -o copilot https://github.com/aws/copilot-cli/releases/download/v1.34.1/copilot-linux
`,
  "copilot/api/manifest.yml": `name: api
type: Backend Service
image:
  build: Dockerfile
  port: 8080
cpu: 256
memory: 512
`,
  "copilot/nightly/manifest.yml":
    'name: nightly\ntype: Scheduled Job\nimage:\n  build: Dockerfile\non:\n  schedule: "@daily"\n',
  "copilot/environments/test/manifest.yml": "name: test\ntype: Environment\n",
  "copilot/environments/live/manifest.yml": "name: live\ntype: Environment\n",
  "copilot/pipelines/main/manifest.yml":
    "name: main\nversion: 1\nsource:\n  provider: GitHub\n  properties:\n    branch: trunk\nstages:\n  - name: test\n",
};

/** What `claude-md check` finds in the document of `copilot`, each as `line: message`. */
function findings(lines: readonly string[]): string[] {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "docs-facts-")));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const files = {
    ...workspace,
    "CLAUDE.md": "# CLAUDE.md\n",
    "copilot/CLAUDE.md": ["# copilot/CLAUDE.md", ...lines, ""].join("\n\n"),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  execFileSync("git", ["init", "--quiet"], { cwd: root });
  execFileSync("git", ["add", "--all"], { cwd: root });
  const run = spawnSync(process.execPath, [cli, "check", "--no-cache", "--reporter", "json"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(run.stderr).toBe("");
  const report = JSON.parse(run.stdout) as {
    findings: { file: string; line: number; message: string; related?: string }[];
  };
  return report.findings.map(({ file, line, message, related }) => {
    expect(file).toBe("copilot/CLAUDE.md");
    return `${lines[(line - 3) / 2]} ⇒ ${message}${related === undefined ? "" : ` (${related})`}`;
  });
}

test("what contradicts the workspace is found, with the line where the truth stands", () => {
  const lies = {
    "2 サービスを定義する":
      "Unexpected number `2` before `サービス`, expected `1` (copilot/api/manifest.yml:2)",
    "3 つの環境がある":
      "Unexpected number `3` before `つの環境`, expected `2` (copilot/environments/live/manifest.yml:1)",
    "2 本のパイプラインがある":
      "Unexpected number `2` before `本のパイプライン`, expected `1` (copilot/pipelines/main/manifest.yml:6)",
    "環境: test、live、demo":
      "Unexpected `demo` in a list, expected only `live`, `test` (copilot/environments/live/manifest.yml:1)",
    "パイプラインは GitHub Actions で動く":
      "Unexpected `GitHub Actions`, expected `CodePipeline` (copilot/pipelines/main/manifest.yml:6)",
    デプロイはブルーグリーンで行う:
      "Unexpected `ブルーグリーン`, expected `ローリング更新` (copilot/api/manifest.yml:2)",
    "Services run on EKS": "Unexpected `EKS`, expected `ECS` (copilot/api/manifest.yml:2)",
    "リージョンは us-east-1": "Unexpected value `us-east-1`, expected `eu-west-1` (copilot/setup.sh:1)",
    "CLI 1.33.0 を使う": "Unexpected value `1.33.0`, expected `1.34.1` (copilot/setup.sh:2)",
    "`copilot svc deploy --name api --env prod`":
      "Unexpected environment `prod`, expected one of `live`, `test` (copilot/environments)",
    "`npm run stat`": "Unexpected script `stat`, expected `start` (package.json:1)",
  };
  expect(findings(Object.keys(lies)).toSorted()).toEqual(
    Object.entries(lies)
      .map(([lie, message]) => `${lie} ⇒ ${message}`)
      .toSorted(),
  );
});

test("what is true, or speaks of something else, is nobody's to correct", () => {
  const truths = [
    "1 サービスと 1 ジョブを 2 つの環境(test、live)に、1 本のパイプラインで",
    "環境: test、live",
    "1 環境が 1 スタック。新しい環境: まず `copilot env init --name demo`",
    "パイプラインは CodePipeline。ソースの検査だけ GitHub Actions が先に走らせる(CodePipeline の外)",
    "リージョンは eu-west-1、CLI 1.34.1",
    "Deployments are rolling, unlike the blue/green ones of before",
    "CloudFront の証明書は us-east-1 に要る",
    "Kubernetes は使わない。ECS の上で動く",
    "EKS ではなく Fargate で動く",
    "環境変数は 3 つ、`copilot svc logs --name api --env <env>`",
    "`npm start`、`[a|b]`、`copilot svc deploy --env [test|live]`",
  ];
  expect(findings(truths)).toEqual([]);
});
