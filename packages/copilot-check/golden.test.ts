import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compareGolden, goldenFiles, updateGolden } from "./golden.ts";
import { mask } from "./masks.ts";
import type { RenderedStack } from "./render.ts";
import { folderOf } from "./testing.ts";

const template = (uuid: string, hash: string) => `Metadata:
    Version: v1.34.1
    Manifest: |
        # a comment
        name: worker

        cpu: 256
Resources:
    Action:
        Properties:
            UpdateID: ${uuid}
            S3Key: manual/addons/worker/assets/${hash.repeat(64)}
            Script: manual/scripts/custom-resources/f/${hash.repeat(64)}.zip
`;

test("two renderings of the same input are the same under the mask, and lines after the manifest stay in order", () => {
  const first = mask(template("e65564e8-f628-4f2d-927c-1a038ade2d03", "a"));
  const second = mask(template("98d6adaa-39a4-452a-b60a-616015d6f697", "a"));
  expect(first).toBe(second);
  expect(first).toBe(`Metadata:
    Version: v1.34.1
    Manifest: (as in copilot/)
Resources:
    Action:
        Properties:
            UpdateID: (new in every rendering)
            S3Key: manual/addons/worker/assets/(hash of the code)
            Script: manual/scripts/custom-resources/f/${"a".repeat(64)}.zip
`);
});

test("the hash of one of the CLI's own scripts is not masked: another CLI would show", () => {
  expect(mask(template("x", "a"))).not.toBe(mask(template("x", "b")));
});

const stack = (cpu: string): RenderedStack => ({
  kind: "workload",
  name: "worker",
  environment: "test",
  stack: "shop-test-worker",
  template: "Resources: {}\n",
  parameters: { TaskCPU: cpu, AddonsTemplateURL: `https://b/manual/addons/worker/${"a".repeat(64)}.yml` },
  tags: {},
  addons: "Resources: {}\n",
});

test("an update writes every template, and then nothing differs", () => {
  const folder = folderOf({ "left.yml": "", "CLAUDE.md": "stays" });
  expect(updateGolden(folder, goldenFiles([stack("256")]))).toEqual([
    "test.worker.yml",
    "addons.worker.yml",
    "left.yml",
  ]);
  expect(compareGolden(folder, goldenFiles([stack("256")]))).toEqual([]);
  expect(readdirSync(folder).toSorted()).toEqual(["CLAUDE.md", "addons.worker.yml", "test.worker.yml"]);
  expect(readFileSync(join(folder, "test.worker.yml"), "utf8")).toContain(
    "#   AddonsTemplateURL: https://b/manual/addons/worker/(hash of the template).yml\n#   TaskCPU: 256\n",
  );
});

test("a changed parameter, a missing and a left-over template are differences with their line", () => {
  const folder = folderOf({});
  updateGolden(folder, goldenFiles([stack("256")]));
  writeFileSync(join(folder, "old.yml"), "");
  const { addons: _addons, ...without } = stack("512");
  expect(
    compareGolden(folder, goldenFiles([without, { ...without, name: "other", stack: "shop-test-other" }])),
  ).toEqual([
    {
      file: "test.worker.yml",
      kind: "changed",
      line: 4,
      expected: "#   TaskCPU: 256",
      actual: "#   TaskCPU: 512",
    },
    { file: "test.other.yml", kind: "missing", line: 1 },
    { file: "addons.worker.yml", kind: "left over", line: 1 },
    { file: "old.yml", kind: "left over", line: 1 },
  ]);
});
