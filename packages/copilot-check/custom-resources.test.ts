import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { zipSync } from "fflate";
import { expect, onTestFinished, test } from "vitest";
import { runScripts, type ScriptRun } from "./custom-resources.ts";
import { cloud, deploy, folderOf } from "./testing.ts";

/** A script as Copilot's are: it answers by PUT to the ResponseURL, on port 443. */
const script = (body: string) => `
const https = require("https");
exports.handler = async (event) => {
  const answer = async (fields) => new Promise((resolve) => {
    const request = https.request({ hostname: new URL(event.ResponseURL).hostname, port: 443, method: "PUT" });
    request.on("response", () => resolve());
    request.end(JSON.stringify(fields));
  });
  ${body}
};`;

async function run(body: string) {
  const endpoint = createServer((_request, response) => response.end("from the stand-in"));
  await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void endpoint.close());
  const runs: ScriptRun[] = [];
  const aws = cloud({
    custom: runScripts({
      endpoint: () => `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`,
      modules: "",
      scratch: folderOf({}),
      runs,
    }),
  });
  aws.objects.set("b/k", Buffer.from(zipSync({ "index.js": Buffer.from(script(body)) })));
  const stack = await deploy(
    aws,
    "shop",
    "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Runtime: nodejs24.x, Handler: index.handler, Code: {S3Bucket: b, S3Key: k}}}, C: {Type: Custom::C, Properties: {ServiceToken: !GetAtt F.Arn, Count: 2}}}\nOutputs: {Seen: {Value: !GetAtt C.Seen}}",
  );
  return { stack, runs };
}

test("a custom resource's own script runs with texts, reaches the stand-in, and its answer becomes attributes", async () => {
  const { stack, runs } = await run(
    `const heard = await (await fetch(process.env.AWS_ENDPOINT_URL)).text();
     await answer({ Status: "SUCCESS", PhysicalResourceId: "p", Data: { Seen: event.RequestType + " " + typeof event.ResourceProperties.Count + " " + heard } });`,
  );
  expect(stack).toMatchObject({
    status: "CREATE_COMPLETE",
    outputs: { Seen: "Create string from the stand-in" },
  });
  expect(stack.resources.get("C")?.ref).toBe("p");
  expect(runs).toMatchObject([
    { stack: "shop", resource: "C", kind: "Create", runtime: "nodejs24.x", status: "SUCCESS" },
  ]);
});

test("a script that fails, and one that never answers, roll the stack back with the reason", async () => {
  const failed = await run(`await answer({ Status: "FAILED", Reason: "no listener" });`);
  expect(failed.stack).toMatchObject({
    status: "ROLLBACK_COMPLETE",
    failure: { message: "The script of C failed: no listener", path: ["Resources", "C"] },
  });
  const silent = await run(`throw new Error("lost");`);
  expect(silent.stack.failure?.message).toContain("The script of C answered nothing: lost");
});
