import { readAddons } from "./addons.ts";
import { callOf } from "./evaluate.ts";
import type { Finding } from "./finding.ts";
import { at, textOf, walk } from "./node.ts";
import type { AddonStack, Node, Workspace } from "./types.ts";

/** What holds addons back from serving every environment, a new one too. The templates are the same in all of them. */
export function addonFindings(workspace: Workspace, environment: string): Finding[] {
  return readAddons(workspace, environment).flatMap((stack) => [
    ...localTemplates(stack),
    ...(stack.workload === undefined ? [...ownNetwork(stack), ...ownExports(stack)] : []),
  ]);
}

function ownNetwork({ parameters }: AddonStack): Finding[] {
  return calls(
    [...parameters.values()].map(({ value }) => value),
    "Ref",
  )
    .filter(({ argument }) => textOf(argument) === "VPC")
    .map(({ node }) => ({
      rule: "vpc-reference",
      message: "An environment that imports its network has no `VPC`.",
      hint: "Write `!GetAtt EnvironmentSecurityGroup.VpcId`, which every environment has.",
      ...node.at,
    }));
}

/** The environment's own stack exports these, when it is complete: after its addons. */
function ownExports({ resources, outputs }: AddonStack): Finding[] {
  const exported =
    /^\$\{App\}-\$\{Env\}-(?:VpcId|PublicSubnets|PrivateSubnets|ClusterId|EnvironmentSecurityGroup|InternetGatewayID|ServiceDiscoveryNamespaceID|HTTPListenerArn|HTTPSListenerArn|PublicLoadBalancer\w*|InternalLoadBalancer\w*)$/;
  const nodes = [
    ...[...resources.values()].map(({ node }) => node),
    ...[...outputs.values()].map(({ value }) => value),
  ];
  return calls(nodes, "Fn::ImportValue").flatMap(({ node, argument }) => {
    const name = textOf(argument) ?? textOf(at(argument, "Fn::Sub"));
    if (name === undefined || !exported.test(name)) return [];
    const message = `The environment exports ${name} only after its addons are made: a new environment cannot be deployed.`;
    const hint = "Hand it over in addons.parameters.yml, from the environment's own stack.";
    return [{ rule: "own-export", message, hint, ...node.at }];
  });
}

function localTemplates({ resources }: AddonStack): Finding[] {
  return [...resources.values()].flatMap(({ type, properties }) => {
    const url = type === "AWS::CloudFormation::Stack" ? at(properties, "TemplateURL") : undefined;
    const path = textOf(url);
    if (!url || path === undefined || /^https?:/.test(path)) return [];
    const message = `Copilot turns ${path} into an s3:// address, which CloudFormation refuses.`;
    const hint = "Put the resources into a file of this folder: Copilot merges all of them.";
    return [{ rule: "local-template", message, hint, ...url.at }];
  });
}

function calls(roots: (Node | undefined)[], name: string): { node: Node; argument: Node }[] {
  return roots.flatMap((root) =>
    [...walk(root)].flatMap((node) => {
      const call = node.kind === "map" ? callOf(node) : undefined;
      return call?.name === name ? [{ node, argument: call.argument }] : [];
    }),
  );
}
