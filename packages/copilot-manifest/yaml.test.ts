import { expect, test } from "vitest";
import { at, positionOf, toValue } from "./node.ts";
import { parseYaml } from "./yaml.ts";

const read = (text: string) => parseYaml("m.yml", text);

test("every node knows its file, line and column, counted from one", () => {
  const { root } = read("name: svc\nimage:\n  build: Dockerfile\n  args: [a, b]\n");
  expect(at(root, "image", "build")?.at).toEqual({ file: "m.yml", line: 3, column: 10 });
  expect(at(root, "image", "args", 1)?.at).toEqual({ file: "m.yml", line: 4, column: 13 });
});

test("the position of a path is its key's, and the nearest parent's where it was not written", () => {
  const { root } = read("image:\n  build: Dockerfile\n");
  if (!root) throw new Error("not read");
  expect(positionOf(root, ["image", "build"])).toMatchObject({ line: 2, column: 3 });
  expect(positionOf(root, ["image", "port"])).toMatchObject({ line: 1, column: 1 });
});

test("anchors, aliases and merge keys are followed, at top level too; written keys win", () => {
  const { root, problems } = read(
    "x: &x\n  a: 1\n  b: 2\n<<: *x\nb: 3\nc: *x\nd:\n  <<: [{ a: 8, e: 9 }, *x]\n",
  );
  expect(problems).toEqual([]);
  expect(toValue(root)).toEqual({
    x: { a: 1, b: 2 },
    b: 3,
    c: { a: 1, b: 2 },
    d: { a: 8, e: 9, b: 2 },
    a: 1,
  });
});

test("a merged value keeps the position at which it was written", () => {
  const { root } = read("base: &base\n  cpu: 256\nsvc:\n  <<: *base\n");
  expect(at(root, "svc", "cpu")?.at).toMatchObject({ line: 2 });
});

test("a key that is written twice is an error with the second one's line", () => {
  expect(read("a: 1\nb: 2\na: 3\n").problems).toMatchObject([{ rule: "duplicate-key", line: 3, column: 1 }]);
});

test("what is not YAML is one error with its line", () => {
  const { root, problems } = read("a: 1\nb: [1, 2\nc: 3\n");
  expect(root).toBeUndefined();
  expect(problems[0]).toMatchObject({ rule: "yaml", file: "m.yml" });
  expect(problems[0]?.line).toBeGreaterThan(1);
});

test("a second document is an error: Copilot would not read it", () => {
  expect(read("a: 1\n---\nb: 2\n").problems).toMatchObject([{ rule: "second-document", line: 2 }]);
});

test("an alias without an anchor, and one that holds itself, are errors and no endless loop", () => {
  expect(read("a: *b\n").problems).toMatchObject([{ rule: "yaml" }]);
  expect(read("a: &a\n  b: *a\n").problems).toMatchObject([{ rule: "yaml" }]);
});

test("numbers and booleans keep their text, quoted ones are texts", () => {
  const { root } = read('a: 0.10\nb: "1"\nc: true\nd: yes\n');
  expect(at(root, "a")).toMatchObject({ value: 0.1, text: "0.10", style: "plain" });
  expect(at(root, "b")).toMatchObject({ value: "1", style: "quoted" });
  expect(at(root, "c")).toMatchObject({ value: true });
  expect(at(root, "d")).toMatchObject({ value: "yes", style: "plain" });
});

test("CloudFormation's short tags become their long form, nested ones too", () => {
  const text =
    "a: !Ref X\nb: !GetAtt X.Endpoint.Port\nc: !Sub ['${Y}', {Y: !GetAtt [X, Arn]}]\nd: !If [C, 1, !Ref AWS::NoValue]\n";
  const { root } = parseYaml("t.yml", text, { cloudFormation: true });
  expect(toValue(root)).toEqual({
    a: { Ref: "X" },
    b: { "Fn::GetAtt": ["X", "Endpoint.Port"] },
    c: { "Fn::Sub": ["${Y}", { Y: { "Fn::GetAtt": ["X", "Arn"] } }] },
    d: { "Fn::If": ["C", 1, { Ref: "AWS::NoValue" }] },
  });
});
