import { expect, test } from "vitest";
import { type Config, resolveConfig } from "./config.ts";

const templates = { "docs/a.md": "# {{path}}/A.md\n", "docs/b.md": "# {{path}}/B.md\n" };
const read = (path: string): string | undefined => (templates as Record<string, string>)[path];
const resolve = (config: object) => resolveConfig(config as Config, read);
const all = { templates: [{ files: ["**"], template: "docs/a.md" }] };

test("the last match wins, `x/**` includes `x`, and `**` includes the root and dot directories", () => {
  const config = resolve({
    templates: [...all.templates, { files: ["packages/**"], template: "docs/b.md" }],
  });
  const chosen = ["", ".github", "docs", "packages", "packages/a", "packages/a/[id]"].map(
    (dir) => config.template(dir).path,
  );
  expect(chosen).toEqual(["docs/a.md", "docs/a.md", "docs/a.md", "docs/b.md", "docs/b.md", "docs/b.md"]);
});

test("templates resolve from the configuration's directory", () => {
  const config = { templates: [{ files: ["**"], template: "../docs/a.md" }] };
  expect(resolveConfig(config, read, "tools").template("").path).toBe("docs/a.md");
});

test("a glob that matches no directory is an error", () => {
  const config = resolve({ ...all, exclude: [{ files: ["vendor/**"], reason: "not ours" }] });
  expect(() => config.proveUsed(["", "docs"])).toThrow(
    "`exclude`: the glob `vendor/**` matches no directory",
  );
  expect(() => config.proveUsed(["", "vendor"])).not.toThrow();
});

test("a template that nobody uses is an error", () => {
  const config = resolve({ templates: [{ files: ["docs"], template: "docs/b.md" }, ...all.templates] });
  expect(() => config.proveUsed(["", "docs"])).toThrow("no directory follows the template `docs/b.md`");
});

test("a rule takes a level, or a level with options over its defaults", () => {
  const config = resolve({ ...all, rules: { links: "off", tree: ["warning", { globs: "cover" }] } });
  expect(config.rule("links").level).toBe("off");
  expect(config.rule("tree")).toEqual({ level: "warning", options: { globs: "cover", ellipsis: "open" } });
  expect(config.rule("title")).toEqual({ level: "error", options: {} });
});

test.each([
  [{ ...all, templats: [] }, "`templats` is not a setting (did you mean `templates`?)"],
  [{}, "`templates` must list at least one template"],
  [{ templates: [] }, "`templates` must list at least one template"],
  [{ ...all, file: "docs/CLAUDE.md" }, "`file` must be a file name"],
  [{ ...all, rules: { linkz: "error" } }, "`rules.linkz` is not a rule (did you mean `links`?)"],
  [{ ...all, rules: { links: "warn" } }, "`rules.links` is `warn`"],
  [{ ...all, rules: { tree: ["error", { glob: "cover" }] } }, "has no option `glob` (did you mean `globs`?)"],
  [{ ...all, rules: { links: ["error", { x: 1 }] } }, "`rules.links` has no option `x`"],
  [{ ...all, required: ["./workers"] }, "`required` holds `./workers`"],
  [{ ...all, exclude: [{ files: ["x"], reason: " " }] }, "an entry of `exclude` gives no `reason`"],
  [
    { templates: [{ files: ["**"], template: "../a.md" }] },
    "the template `../a.md` lies outside the repository",
  ],
  [{ templates: [{ files: [], template: "docs/a.md" }] }, "`templates` for docs/a.md has no `files`"],
  [null, "it must export an object by default"],
])("a mistake is named: %j", (config, message) => {
  expect(() => resolve(config as object)).toThrow(message);
});

test("a directory without a template is an error that says how to give it one", () => {
  const config = resolve({ templates: [{ files: ["docs"], template: "docs/a.md" }] });
  expect(() => config.template("workers")).toThrow('Begin `templates` with { files: ["**"]');
});
