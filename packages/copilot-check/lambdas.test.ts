import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { checkLambdas } from "./lambdas.ts";
import { cloud, deploy, folderOf } from "./testing.ts";

async function problemsOf(code: string, { runtime = "nodejs24.x", file = "index.js" } = {}) {
  const aws = cloud();
  aws.objects.set("b/k", Buffer.from(zipSync({ [file]: Buffer.from(code) })));
  await deploy(
    aws,
    "shop",
    `Resources: {F: {Type: AWS::Lambda::Function, Properties: {Runtime: ${runtime}, Handler: index.handler, Code: {S3Bucket: b, S3Key: k}}}}`,
  );
  const { problems } = await checkLambdas(aws, "", folderOf({}));
  return problems.map(({ what, message }) => `${what} ${message}`);
}

const handler = "exports.handler = async (event, context) => {};";

test("an async handler with modules of the runtime passes, as CommonJS and as a module", async () => {
  expect(await problemsOf(`require("crypto"); require("node:https"); ${handler}`)).toEqual([]);
  expect(await problemsOf("export const handler = async () => {}", { file: "index.mjs" })).toEqual([]);
});

test("a runtime below 24 is named with its patch", async () => {
  expect(await problemsOf(handler, { runtime: "nodejs20.x" })).toEqual([
    "F of shop runs on nodejs20.x, which Lambda gives up.",
  ]);
});

test("a callback handler, a missing export and code that throws are told apart", async () => {
  expect(await problemsOf("exports.handler = (event, context, callback) => callback();")).toEqual([
    "F of shop has a handler with a callback, which Lambda's nodejs24.x refuses.",
  ]);
  expect((await problemsOf("exports.other = async () => {};"))[0]).toContain("index exports no handler");
  expect((await problemsOf("throw new Error('not here')"))[0]).toContain("not here");
});

test("a module that Lambda does not have is named", async () => {
  expect((await problemsOf(`try { require("left-pad") } catch {} ${handler}`))[0]).toBe(
    "F of shop needs left-pad, which Lambda's runtime does not have.",
  );
});
