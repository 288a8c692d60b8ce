import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import {
  check,
  readSettings,
  readWorkspace,
  resolve,
  type Resolved,
  type Workload,
  type Workspace,
} from "./index.ts";

/** A file's text; a link to another path of the workspace. */
type Content = string | { link: string };

/** Writes a workspace into a folder of its own, gone after the test. With `application: shop`, a Dockerfile and the pipelines' buildspecs unless given. */
export function workspaceFolder(files: Record<string, Content>, { application = true } = {}): string {
  const root = mkdtempSync(join(tmpdir(), "copilot-manifest-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const all: Record<string, Content> = {
    ...(application ? { "copilot/.workspace": "application: shop\n" } : {}),
    Dockerfile: "FROM scratch\n",
    ...Object.fromEntries(
      Object.keys(files)
        .filter(isPipeline)
        .map((path) => [buildspecOf(path), ""]),
    ),
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if (typeof content === "string") writeFileSync(target, content);
    else symlinkSync(content.link, target);
  }
  return root;
}

function isPipeline(path: string): boolean {
  return /^copilot\/(?:pipelines\/[^/]+\/manifest|pipeline)\.yml$/.test(path);
}

function buildspecOf(path: string): string {
  return path.replace(/[^/]+$/, "buildspec.yml");
}

export function workspaceOf(files: Record<string, Content>): Workspace {
  return readWorkspace(workspaceFolder(files));
}

/** Each problem as `file:line rule message hint`, to be matched. */
export function problemsOf(files: Record<string, Content>, env: Record<string, string> = {}): string[] {
  return check(workspaceOf(files), env).map(
    ({ file, line, rule, message, hint }) => `${file}:${line} ${rule}: ${message}${hint ? ` ${hint}` : ""}`,
  );
}

/** The same with the settings of `copilot-manifest.yml`, whose own mistakes come first. */
export function problemsBySettings(files: Record<string, Content>, settingsText: string): string[] {
  const workspace = workspaceOf({ ...files, "copilot-manifest.yml": settingsText });
  const { settings, problems } = readSettings(workspace);
  return [...problems, ...check(workspace, {}, { settings })].map(
    ({ file, line, rule, message, hint }) => `${file}:${line} ${rule}: ${message}${hint ? ` ${hint}` : ""}`,
  );
}

/** One manifest as an environment sees it. */
export function workloadOf(
  manifest: string,
  environment = "test",
  env: Record<string, string> = {},
): Workload {
  const { workloads } = resolvedOf({ "copilot/svc/manifest.yml": manifest }, environment, env);
  const [workload] = workloads;
  if (!workload) throw new Error("the manifest was not read");
  return workload;
}

export function resolvedOf(
  files: Record<string, Content>,
  environment = "test",
  env: Record<string, string> = {},
): Resolved {
  return resolve(workspaceOf(files), environment, env);
}

/** The smallest manifest of each type, without problems. */
export const minimal = {
  web: "name: svc\ntype: Load Balanced Web Service\nimage:\n  build: Dockerfile\n  port: 8080\nhttp:\n  path: /\n",
  backend: "name: svc\ntype: Backend Service\nimage:\n  build: Dockerfile\n",
  worker: "name: svc\ntype: Worker Service\nimage:\n  build: Dockerfile\n",
  job: 'name: svc\ntype: Scheduled Job\nimage:\n  build: Dockerfile\non:\n  schedule: "@daily"\n',
  appRunner: "name: svc\ntype: Request-Driven Web Service\nimage:\n  build: Dockerfile\n  port: 8080\n",
  site: "name: svc\ntype: Static Site\nfiles:\n  - source: site\n",
};

export function environmentManifest(name: string): string {
  return `name: ${name}\ntype: Environment\n`;
}
