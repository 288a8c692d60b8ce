import { reaches } from "./graph.ts";
import { interpolate } from "./interpolate.ts";
import { isName } from "./names.ts";
import { at, entriesOf, itemsOf, positionOf, textOf } from "./node.ts";
import { suggest } from "./problem.ts";
import { strangeEnvironment } from "./resolve.ts";
import type { Node, Problem, Workspace } from "./types.ts";
import { validate } from "./validate.ts";
import { environmentSchema, pipelineSchema } from "./workspace-schema.ts";

/** `copilot/environments/<name>/manifest.yml` of every environment. */
export function checkEnvironments(
  workspace: Workspace,
  env: Record<string, string | undefined>,
  problems: Problem[],
): void {
  for (const { name, root: read } of workspace.environmentManifests.values()) {
    if (!read) continue;
    const undefinedHere: Problem[] = [];
    const root = interpolate(
      read,
      { application: workspace.application, environment: name, env },
      undefinedHere,
    );
    problems.push(...undefinedHere.filter(({ rule }) => rule !== "undefined-variable"));
    validate(root, environmentSchema, problems);
    const written = textOf(at(root, "name"));
    if (written !== name) {
      const message = `The manifest calls itself \`${written ?? ""}\`, its folder is \`${name}\`.`;
      problems.push({
        rule: "name",
        message,
        hint: `Write \`name: ${name}\`, or rename the folder.`,
        ...positionOf(root, ["name"]),
      });
    } else if (!isName(name)) {
      const hint = "A letter first, then lower case letters, digits and single hyphens.";
      problems.push({
        rule: "name",
        message: `\`${name}\` is no name for an environment.`,
        hint,
        ...positionOf(root, ["name"]),
      });
    }
    const type = textOf(at(root, "type"));
    if (type !== "Environment") {
      problems.push({
        rule: "unknown-type",
        message: `\`type\` must be Environment, not ${type ?? "empty"}.`,
        ...positionOf(root, ["type"]),
      });
    }
  }
}

/** `copilot/pipelines/<name>/manifest.yml` of every pipeline; Copilot does not interpolate these. */
export function checkPipelines(workspace: Workspace, problems: Problem[]): void {
  for (const { root } of workspace.pipelines.values()) {
    if (!root) continue;
    validate(root, pipelineSchema, problems);
    for (const key of ["name", "version", "source", "stages"]) {
      if (at(root, key) === undefined)
        problems.push({ rule: "missing", message: `A pipeline needs \`${key}\`.`, ...root.at });
    }
    if ((textOf(at(root, "name"))?.length ?? 0) > 100) {
      problems.push({
        rule: "name",
        message: "A pipeline's name has at most 100 characters.",
        ...positionOf(root, ["name"]),
      });
    }
    itemsOf(at(root, "stages")).forEach((stage, i) =>
      checkStage(workspace, stage, positionOf(root, ["stages", i, "name"]), problems),
    );
  }
}

function checkStage(workspace: Workspace, stage: Node, place: Node["at"], problems: Problem[]): void {
  const name = textOf(at(stage, "name"));
  if (name === undefined)
    problems.push({ rule: "missing", message: "A stage needs a `name`: its environment.", ...stage.at });
  else if (workspace.environments.length > 0 && !workspace.environments.includes(name)) {
    const misspelt = `A stage's name is its environment, and there is no environment \`${name}\`.`;
    problems.push({ ...strangeEnvironment(name, workspace.environments, misspelt), ...place });
  }
  if (at(stage, "test_commands") && at(stage, "post_deployments")) {
    problems.push({
      rule: "stage",
      message: "`test_commands` and `post_deployments` exclude each other.",
      ...positionOf(stage, ["test_commands"]),
    });
  }
  checkDeployments(workspace, at(stage, "deployments"), problems);
  for (const key of ["pre_deployments", "post_deployments"]) {
    const steps = at(stage, key);
    for (const [step, { key: stepPlace, value }] of entriesOf(steps)) {
      if (!textOf(at(value, "buildspec"))) {
        problems.push({ rule: "missing", message: `\`${step}\` needs a \`buildspec\`.`, ...stepPlace });
      }
    }
    checkDependencies(steps, problems);
  }
}

function checkDeployments(workspace: Workspace, deployments: Node | undefined, problems: Problem[]): void {
  for (const [name, { key, value }] of entriesOf(deployments)) {
    // With a template of its own a deployment is anything: an environment, an addon, another repository's stack.
    if (at(value, "template_path") || at(value, "stack_name") || workspace.workloads.has(name)) continue;
    const message = `There is no workload \`${name}\` to deploy.`;
    problems.push({
      rule: "unknown-workload",
      message,
      hint: suggest(name, workspace.workloads.keys(), "workloads"),
      ...key,
    });
  }
  checkDependencies(deployments, problems);
}

function checkDependencies(steps: Node | undefined, problems: Problem[]): void {
  const names = entriesOf(steps).map(([name]) => name);
  const graph = new Map<string, string[]>();
  for (const [name, { value }] of entriesOf(steps)) {
    const on = itemsOf(at(value, "depends_on"));
    graph.set(
      name,
      on.map((item) => textOf(item) ?? ""),
    );
    for (const item of on.filter((dependency) => !names.includes(textOf(dependency) ?? ""))) {
      const text = textOf(item) ?? "";
      const message = `\`${name}\` waits for \`${text}\`, which is not deployed in this stage.`;
      problems.push({
        rule: "unknown-dependency",
        message,
        hint: suggest(text, names, "deployments"),
        ...item.at,
      });
    }
  }
  for (const [name, { key }] of entriesOf(steps)) {
    if (reaches(graph, name, name))
      problems.push({
        rule: "cycle",
        message: `\`${name}\` waits for itself, through its dependencies.`,
        ...key,
      });
  }
}
