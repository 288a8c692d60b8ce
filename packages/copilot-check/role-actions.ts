import type { Template, Values } from "./template.ts";

interface Statement {
  Effect: string;
  Action?: string | string[];
}

/** What the policies of AWS that Copilot attaches allow, as far as a pipeline's own builds may need it. */
const managed: Record<string, string[]> = {
  AmazonSSMReadOnlyAccess: ["ssm:Describe*", "ssm:Get*", "ssm:List*"],
  AWSCloudFormationReadOnlyAccess: [
    "cloudformation:Describe*",
    "cloudformation:EstimateTemplateCost",
    "cloudformation:Get*",
    "cloudformation:List*",
    "cloudformation:ValidateTemplate",
  ],
};

/** Calls that ECS answers only to somebody who may give the task its roles. */
const passing = new Set(["ecs:RegisterTaskDefinition", "ecs:RunTask"]);

/**
 * Actions (`ecs:RunTask`) that no policy of a template's role allows. Whether the resources fit is not looked at: only a
 * forgotten action is found here.
 */
export function deniedActions({ Resources }: Template, role: string, actions: Iterable<string>): string[] {
  const { Policies = [], ManagedPolicyArns = [] } = (Resources[role]?.Properties ?? {}) as {
    Policies?: { PolicyDocument: { Statement: Statement[] } }[];
    ManagedPolicyArns?: string[];
  };
  const attached = Object.values(Resources)
    .filter(({ Type, Properties }) => Type === "AWS::IAM::Policy" && roles(Properties).includes(role))
    .map(({ Properties }) => Properties as { PolicyDocument: { Statement: Statement[] } });
  const allowed = [
    ...[...Policies, ...attached]
      .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      .flatMap(({ Effect, Action = [] }) => (Effect === "Allow" ? [Action].flat() : [])),
    ...ManagedPolicyArns.flatMap((arn) => managed[arn.split("/").at(-1) ?? ""] ?? []),
  ].map((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`, "i"));
  const needed = new Set(actions);
  if ([...needed].some((action) => passing.has(action))) needed.add("iam:PassRole");
  return [...needed].filter((action) => !allowed.some((pattern) => pattern.test(action)));
}

function roles(properties: Values | undefined): unknown[] {
  return ((properties?.Roles ?? []) as Values[]).map(({ Ref }) => Ref);
}
