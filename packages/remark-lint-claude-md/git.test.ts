import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { gitSource, repositoryRoot } from "./git.ts";
import { parse } from "./extract.ts";
import { createProject } from "./project.ts";
import { git, repository, write } from "./testing.ts";
import { resolveConfig } from "./config.ts";

const config = resolveConfig(
  { templates: [{ files: ["**"], template: "t.md" }] },
  () => "# {{path}}/CLAUDE.md\n",
);

test("what exists is what `git add -A` would commit", () => {
  const root = repository({ "docs/手順.md": "x", "gone.ts": "", ".gitignore": "dist/\n" });
  rmSync(join(root, "gone.ts"));
  write(root, { "new/file.ts": "", "dist/built.js": "" });
  symlinkSync("docs", join(root, "link"));

  const source = gitSource(root);
  expect(Object.fromEntries(source.files)).toEqual({
    ".gitignore": { tracked: true },
    "docs/手順.md": { tracked: true },
    link: { tracked: false },
    "new/file.ts": { tracked: false },
  });
  expect(source.read("docs/手順.md")).toBe("x");
  expect(source.read("gone.ts")).toBeUndefined();
  expect(source.ignored(["dist", "dist/built.js", "docs/dist/x", "new"])).toEqual(
    new Set(["dist", "dist/built.js", "docs/dist/x", ""]),
  );
  expect(createProject(source, config, parse).dirs).toEqual(["", "docs", "new"]);
  expect([...gitSource(root, { tracked: true }).files.keys()]).toEqual([".gitignore", "docs/手順.md"]);
});

test("a submodule and a repository that nobody added are directories that owe no document", () => {
  const root = repository({ "a.ts": "" });
  for (const path of ["module", "stray"]) {
    git(root, "init", "--quiet", path);
    write(root, { [`${path}/inner.ts`]: "" });
    git(join(root, path), "add", "inner.ts");
    git(join(root, path), "commit", "--quiet", "--message", "inner");
  }
  git(root, "add", "module");

  const project = createProject(gitSource(root), config, parse);
  expect(project.dirs).toEqual([""]);
  expect(project.children("")).toEqual(["a.ts", "module", "stray"]);
  expect(["module", "stray", "module/inner.ts"].map((path) => project.kind(path))).toEqual([
    "submodule",
    "submodule",
    undefined,
  ]);
});

test("names are compared in NFC and read as they are", () => {
  const decomposed = "カ\u3099イト\u3099.md";
  const root = repository({ [decomposed]: "# x" });
  const project = createProject(gitSource(root), config, parse);
  expect(project.kind("ガイド.md")).toBe("file");
  expect(project.anchors("ガイド.md")).toEqual(new Set(["x"]));
});

test("the root is found from below, and its absence is said", () => {
  const root = repository({ "a/b/c.ts": "" });
  expect(repositoryRoot(join(root, "a/b"))).toBe(root);
  const outside = mkdtempSync(join(tmpdir(), "claude-md-"));
  onTestFinished(() => rmSync(outside, { recursive: true }));
  expect(() => repositoryRoot(outside)).toThrow("is not in a git repository");
});
