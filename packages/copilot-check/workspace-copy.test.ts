import { existsSync, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { folderOf } from "./testing.ts";
import { addonFiles, copyWorkspace } from "./workspace-copy.ts";

test("a rehearsal changes its own copy, and only for the time of one command", async () => {
  const root = folderOf({
    "copilot/api/manifest.yml": "name: api\n",
    "copilot/addons/db.yml": "Export: x-Host\n",
    "copilot/environments/addons/addons.parameters.yml": "Parameters: {}\n",
    "functions/mail/main.js": "",
  });
  symlinkSync("../../addons/db.yml", join(root, "copilot/environments/addons/db.yml"));
  const copy = copyWorkspace(root, join(folderOf({}), "copy"));
  expect(lstatSync(join(copy.root, "copilot/environments/addons/db.yml")).isSymbolicLink()).toBe(true);
  expect(addonFiles(copy.root)).toEqual([
    { file: "copilot/environments/addons/db.yml", text: "Export: x-Host\n" },
  ]);
  expect(existsSync(join(copy.root, "functions/mail/main.js"))).toBe(true);
  const seen = await copy.changed(
    "copilot/environments/addons/db.yml",
    (text) => text.replace("Host", "Name"),
    async () => readFileSync(join(copy.root, "copilot/addons/db.yml"), "utf8"),
  );
  expect(seen).toBe("Export: x-Name\n");
  await expect(
    copy.changed(
      "copilot/new.yml",
      () => "a",
      () => Promise.reject(new Error("stop")),
    ),
  ).rejects.toThrow("stop");
  expect(existsSync(join(copy.root, "copilot/new.yml"))).toBe(false);
  expect(readFileSync(join(copy.root, "copilot/addons/db.yml"), "utf8")).toBe("Export: x-Host\n");
  expect(readFileSync(join(root, "copilot/addons/db.yml"), "utf8")).toBe("Export: x-Host\n");
});
