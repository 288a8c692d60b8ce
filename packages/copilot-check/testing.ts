import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readWorkspace, resolve } from "copilot-manifest";
import { onTestFinished } from "vitest";
import { CloudFormation, type Options, type Stack } from "./cloud-formation.ts";
import { scriptless } from "./env-controller.ts";
import { link, type Linked } from "./link.ts";
import { LinkError } from "./link-error.ts";
import { account } from "./names.ts";
import { validateReferences } from "./references.ts";
import type { RenderedStack } from "./render.ts";

const place = { region: "ap-northeast-1", account };

export function cloud(options: Partial<Options> = {}): CloudFormation {
  return new CloudFormation({ place, custom: scriptless, ...options });
}

/** Creates or updates a stack from a template's text; what is refused is in its `failure`. */
export async function deploy(
  target: CloudFormation,
  name: string,
  text: string,
  given: Record<string, string> = {},
): Promise<Stack> {
  const old = target.find(name);
  const stack = old ?? target.create(name);
  try {
    const template = target.template(name, text);
    validateReferences(template);
    const parameters = target.parameters(template, given, stack.parameters);
    return await target.apply(stack, template, parameters, {}, old ? "UPDATE" : "CREATE");
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    stack.failure = error;
    return stack;
  }
}

/** A folder with these files, gone after the test. */
export function folderOf(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "copilot-check-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const base = {
  "copilot/.workspace": "application: shop\n",
  "copilot/environments/test/manifest.yml": "name: test\ntype: Environment\n",
  Dockerfile: "FROM scratch\n",
};

/** Links rendered stacks of a workspace with the environment `test`; the messages with their places. */
export async function linked(
  files: Record<string, string>,
  stacks: (Partial<RenderedStack> & { kind: RenderedStack["kind"]; name: string; template: string })[],
  objects: Record<string, string> = {},
): Promise<Linked & { messages: string[] }> {
  const workspace = readWorkspace(folderOf({ ...base, ...files }));
  const rendered = stacks.map((stack): RenderedStack => ({
    ...(stack.kind === "pipeline" ? {} : { environment: "test" }),
    stack: stack.kind === "environment" ? "shop-test" : `shop-test-${stack.name}`,
    parameters: {},
    tags: { "copilot-application": "shop", "copilot-environment": "test" },
    ...stack,
  }));
  const result = await link({
    workspace,
    resolved: new Map([["test", resolve(workspace, "test")]]),
    rendering: {
      stacks: rendered,
      objects: new Map(Object.entries(objects).map(([key, text]) => [key, Buffer.from(text)])),
    },
    region: place.region,
    rendered: "rendered",
  });
  const messages = result.problems.map(
    ({ file, line, message, hint }) => `${file}:${line} ${message} ${hint}`,
  );
  return { ...result, messages };
}
