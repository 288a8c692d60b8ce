import { readAddons, type Position, type Problem, type Resolved, type Workspace } from "copilot-manifest";
import { CloudFormation } from "./cloud-formation.ts";
import { scriptless } from "./env-controller.ts";
import { goldenName, goldenText } from "./golden.ts";
import { LinkError } from "./link-error.ts";
import { account } from "./names.ts";
import { originOf } from "./origin.ts";
import { checkPipelineOrder } from "./pipeline-order.ts";
import { validateReferences } from "./references.ts";
import type { RenderedStack, Rendering } from "./render.ts";
import { checkSecrets } from "./secrets.ts";
import { parseTemplate, type Path, type Template } from "./template.ts";

export interface Linked {
  cloud: CloudFormation;
  problems: Problem[];
  /** Stacks deployed, nested ones included. */
  stacks: number;
  resources: number;
  /** The line that a person would mend, for a place in a stack; a nested stack's is in the addon. */
  place: (stack: string, path: Path) => Position | undefined;
}

export interface LinkOptions {
  workspace: Workspace;
  resolved: Map<string, Resolved>;
  rendering: Pick<Rendering, "stacks" | "objects">;
  region: string;
  /** Below the root, for messages. */
  rendered: string;
}

/**
 * Deploys everything that was rendered into one empty account of the small CloudFormation: environments, then workloads,
 * each as soon as what it needs is there, then pipelines. What is refused, and what no order of deployment could mend, is
 * a problem with the line that a person would mend.
 */
export async function link(options: LinkOptions): Promise<Linked> {
  const linker = new Linker(options);
  return linker.run();
}

class Linker {
  readonly #options: LinkOptions;
  readonly #cloud: CloudFormation;
  readonly #problems: Problem[] = [];
  readonly #templates = new Map<RenderedStack, Template>();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#cloud = new CloudFormation({ place: { region: options.region, account }, custom: scriptless });
    // Exported by the application's own stack set, which no manifest describes.
    const { application } = options.workspace;
    this.#cloud.exports.set(`${application}-ArtifactKey`, {
      value: `arn:aws:kms:${options.region}:${account}:key/00000000-0000-0000-0000-000000000000`,
      stack: `StackSet-${application}-infrastructure`,
    });
    for (const [key, object] of options.rendering.objects) this.#cloud.objects.set(key, object);
  }

  async run(): Promise<Linked> {
    const { stacks } = this.#options.rendering;
    await this.#deployAll(stacks.filter(({ kind }) => kind === "environment"));
    await this.#deployAll(stacks.filter(({ kind }) => kind === "workload"));
    await this.#deployAll(stacks.filter(({ kind }) => kind === "pipeline"));
    for (const rendered of stacks) {
      const stack = this.#cloud.find(rendered.stack);
      const workload = this.#workload(rendered);
      if (stack && workload && !stack.failure)
        this.#problems.push(...checkSecrets(stack, workload, this.#options.resolved));
    }
    this.#problems.push(...checkPipelineOrder(this.#options.workspace, this.#cloud));
    const resources = [...this.#cloud.resources()].length;
    return {
      cloud: this.#cloud,
      problems: this.#problems,
      stacks: this.#cloud.stacks.size,
      resources,
      place: (stack, path) => this.#place(stack, path),
    };
  }

  /** In rounds: what fails is tried again after the others, until a round brings nothing. */
  async #deployAll(stacks: RenderedStack[]): Promise<void> {
    let waiting = stacks;
    for (;;) {
      const failed: { rendered: RenderedStack; error: LinkError }[] = [];
      for (const rendered of waiting) {
        const error = await this.#deploy(rendered);
        if (error) failed.push({ rendered, error });
      }
      const stuck = failed.length === waiting.length;
      waiting = failed.map(({ rendered }) => rendered);
      if (waiting.length > 0 && !stuck) continue;
      for (const { rendered, error } of failed) this.#report(rendered, error, waiting);
      return;
    }
  }

  async #deploy(rendered: RenderedStack): Promise<LinkError | undefined> {
    const old = this.#cloud.find(rendered.stack);
    if (old) this.#cloud.stacks.delete(rendered.stack);
    const stack = this.#cloud.create(rendered.stack, rendered.tags);
    try {
      const template = this.#cloud.template(rendered.stack, rendered.template);
      validateReferences(template);
      const parameters = this.#cloud.parameters(template, rendered.parameters);
      await this.#cloud.apply(stack, template, parameters, rendered.tags, "CREATE");
      return stack.failure;
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      stack.failure = error;
      return error;
    }
  }

  #report(rendered: RenderedStack, error: LinkError, waiting: RenderedStack[]): void {
    this.#problems.push({
      rule: "link",
      message: `${rendered.stack}: ${error.message}`,
      hint: this.#hint(error, rendered, waiting),
      ...this.#origin(rendered, error),
    });
  }

  #place(name: string, path: Path): Position | undefined {
    const stack = this.#cloud.find(name);
    const owner = stack?.parent ?? name;
    const rendered = this.#options.rendering.stacks.find((candidate) => candidate.stack === owner);
    const nested = stack?.parent === undefined ? {} : { inStack: name };
    return rendered && this.#origin(rendered, new LinkError("", path, nested));
  }

  #origin(rendered: RenderedStack, error: LinkError): Position {
    const { workspace, rendered: folder } = this.#options;
    const environment = rendered.environment ?? "";
    const addons = readAddons(workspace, environment).find(
      ({ workload }) => workload === (rendered.kind === "workload" ? rendered.name : undefined),
    );
    let template = this.#templates.get(rendered);
    if (!template) {
      template = parseTemplate(`${folder}/${goldenName(rendered)}`, goldenText(rendered));
      this.#templates.set(rendered, template);
    }
    const sources = { root: workspace.root, rendered, template, workload: this.#workload(rendered), addons };
    return originOf(error, sources);
  }

  #hint(error: LinkError, rendered: RenderedStack, waiting: RenderedStack[]): string {
    const missing = /^No stack exports (\S+)\.$/.exec(error.message)?.[1];
    if (missing === undefined) return "CloudFormation would refuse the deployment here.";
    const suffix = missing.slice(missing.lastIndexOf("-") + 1);
    const circle = waiting.find((other) => other !== rendered && this.#mayExport(other, suffix));
    if (circle)
      return `It may be exported by ${circle.stack}, which cannot be deployed either: perhaps each waits for the other.`;
    const near = [...this.#cloud.exports.keys()].find((name) =>
      name.toLowerCase().endsWith(suffix.toLowerCase()),
    );
    return near === undefined
      ? "Export it in an addon of the environment, or correct the name."
      : `There is an export ${near}.`;
  }

  #mayExport({ stack, template, addons }: RenderedStack, suffix: string): boolean {
    return [template, addons].some((text) => {
      const outputs = text === undefined ? [] : Object.values(this.#cloud.template(stack, text).Outputs);
      return outputs.some(({ Export }) => JSON.stringify(Export?.Name ?? "").includes(`-${suffix}"`));
    });
  }

  #workload({ kind, name, environment }: RenderedStack) {
    if (kind !== "workload") return undefined;
    return this.#options.resolved
      .get(environment ?? "")
      ?.workloads.find((workload) => workload.name === name);
  }
}
