import type { Problem, Resolved, Workload } from "copilot-manifest";
import type { Stack } from "./cloud-formation.ts";
import type { Values } from "./template.ts";
import { textOf } from "./text.ts";

/**
 * Secrets by name are outside of every stack, so nothing refuses a wrong one until a task starts. Two things can be said
 * before: a name by Copilot's convention belongs to this application and environment, and the execution role may read it.
 */
export function checkSecrets(stack: Stack, workload: Workload, resolved: Map<string, Resolved>): Problem[] {
  const problems: Problem[] = [];
  const [application, environment] = [stack.tags["copilot-application"], stack.tags["copilot-environment"]];
  const readable = readableParameters(stack);
  for (const [variable, secret] of Object.entries(workload.secrets)) {
    if (!("ssm" in secret)) continue;
    const place = workload.source(["secrets", variable]);
    const [, owner, where] = /^\/copilot\/([^/]+)\/([^/]+)\//.exec(secret.ssm) ?? [];
    if (owner !== undefined && (owner !== application || where !== environment)) {
      const known = owner === application && resolved.has(where ?? "");
      problems.push({
        rule: "secret",
        message: `${workload.name} in ${environment} reads the secret ${secret.ssm}, which belongs to ${known ? `the environment ${where}` : `${owner}/${where}`}.`,
        hint: "Write /copilot/${COPILOT_APPLICATION_NAME}/${COPILOT_ENVIRONMENT_NAME}/secrets/NAME: a task may read no other.",
        ...place,
      });
    } else if (!readable.some((pattern) => matches(pattern, secret.ssm))) {
      problems.push({
        rule: "secret",
        message: `${workload.name} in ${environment}: the execution role may not read the secret ${secret.ssm}.`,
        hint: "An override narrowed the role's policy: add the name there.",
        ...place,
      });
    }
  }
  return problems;
}

/** The resources of `ssm:GetParameters` in the execution role's policies. */
function readableParameters(stack: Stack): string[] {
  const role = stack.resources.get("ExecutionRole");
  const policies = (role?.properties.Policies ?? []) as { PolicyDocument?: { Statement?: Values[] } }[];
  const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument?.Statement ?? []);
  return statements
    .filter(
      ({ Effect, Action }) =>
        Effect === "Allow" && listOf(Action).some((action) => matches(action, "ssm:GetParameters")),
    )
    .flatMap(({ Resource }) => listOf(Resource))
    .map((resource) => resource.replace(/^arn:[^:]*:ssm:[^:]*:[^:]*:parameter/, ""));
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(textOf) : value === undefined ? [] : [textOf(value)];
}

/** IAM's wildcards. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i").test(text);
}
