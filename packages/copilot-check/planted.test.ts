import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatPlanted } from "./planted-document.ts";
import { plant, readPlanted, type Planted } from "./planted.ts";
import { folderOf } from "./testing.ts";

const files = {
  "copilot/api/manifest.yml": "name: api\ncpu: 256\n",
  "functions/mail/main.js": "good",
  "functions/mail/node_modules/big/index.js": "",
};

function planted(change: Planted["files"]): { root: string; copy: string } {
  const root = folderOf(files);
  const copy = join(folderOf({}), "copy");
  plant({ mistake: "A mistake", step: "link", with: [], files: change, says: "no" }, root, copy);
  return { root, copy };
}

test("a mistake is made in the copy, and the workspace stays as it is, linked folders too", () => {
  const { root, copy } = planted({
    "copilot/api/manifest.yml": [{ replace: "^cpu: .*$", by: "cpu: 512" }],
    "functions/mail/main.js": "bad",
    "tools/new/file.yml": "a: 1\n",
  });
  expect(lstatSync(join(copy, "functions")).isSymbolicLink()).toBe(false);
  const read = (folder: string, file: string) => readFileSync(join(folder, file), "utf8");
  expect(read(copy, "copilot/api/manifest.yml")).toBe("name: api\ncpu: 512\n");
  expect(read(copy, "functions/mail/main.js")).toBe("bad");
  expect(read(copy, "tools/new/file.yml")).toBe("a: 1\n");
  expect(lstatSync(join(copy, "functions/mail/node_modules")).isSymbolicLink()).toBe(true);
  expect(read(root, "copilot/api/manifest.yml")).toBe("name: api\ncpu: 256\n");
  expect(read(root, "functions/mail/main.js")).toBe("good");
  expect(existsSync(join(root, "tools"))).toBe(false);
});

test("a replacement that matches nothing any more is an error, and so is one in a file that is gone", () => {
  expect(() => planted({ "copilot/api/manifest.yml": [{ replace: "memory", by: "" }] })).toThrow(
    "A mistake: copilot/api/manifest.yml has nothing like memory.",
  );
  expect(() => planted({ "copilot/web/manifest.yml": [{ replace: "cpu", by: "" }] })).toThrow("is not there");
});

test("the list is read, and what is wrong with it is said", () => {
  const root = folderOf({
    "good.yml":
      "environment: test\nmistakes: [{ mistake: One, step: link, files: { a.yml: text }, says: no }]\n",
    "wrong.yml":
      "environment: test\nmistakes: [{ mistake: One, step: lnik, files: { a.yml: text }, says: no }]\n",
  });
  expect(readPlanted(join(root, "good.yml"))).toEqual({
    environment: "test",
    mistakes: [{ mistake: "One", step: "link", with: [], files: { "a.yml": "text" }, says: "no" }],
  });
  expect(() => readPlanted(join(root, "wrong.yml"))).toThrow("step");
  expect(() => readPlanted(join(root, "none.yml"))).toThrow("There is no list of mistakes");
});

test("the document has a table for each step, in the steps' order, and one for what a rehearsal refuses", () => {
  const text = formatPlanted(
    [
      {
        step: "lint",
        mistake: "Late",
        planted: ["b.yml"],
        finding: { file: "b.yml", line: 2, message: "a | b", hint: "Mend it." },
      },
      { step: "link", mistake: "Early", planted: ["a.yml"], finding: { message: "`x` is wrong" } },
    ],
    [{ command: "copilot env deploy", mistake: "a local template", said: "not s3://bucket-6f/key." }],
  );
  expect(text.match(/^## \w+/gm)).toEqual(["## link", "## lint", "## rehearse"]);
  expect(text).toContain("| Early | `a.yml` | `'x' is wrong` |\n");
  expect(text).toContain("| Late | `b.yml` | `b.yml:2 a \\| b`<br>`Mend it.` |\n");
  expect(text).toContain("| a local template | `copilot env deploy` | `not s3://…` |\n");
});
