import { distance } from "fastest-levenshtein";
import { readAddons } from "./addons.ts";
import { callOf, evaluate, referredType } from "./evaluate.ts";
import { outputVariable } from "./names.ts";
import { cycleThrough } from "./graph.ts";
import { at, itemsOf, textOf, textsOf, walk } from "./node.ts";
import { suggest } from "./problem.ts";
import type {
  AddonStack,
  EvaluatedStack,
  MapNode,
  Meanings,
  Node,
  Problem,
  Resolved,
  Workload,
  Workspace,
} from "./types.ts";

/** The addon templates of one environment, and what the workloads expect of them. */
export function checkAddons(workspace: Workspace, resolved: Resolved, problems: Problem[]): void {
  const exports = new Set<string>();
  for (const stack of readAddons(workspace, resolved.environment)) {
    problems.push(...stack.problems);
    references(stack, problems);
    if (stack.workload === undefined) network(workspace, stack, problems);
    cycles(stack, problems);
    const evaluated = evaluate(stack, placeholders);
    for (const { expression, reason, at } of evaluated.unresolved) {
      // Without folders the environments are guessed, and this workload may not be meant for each.
      if (reason !== "mapping" || workspace.environments.length === 0) continue;
      const message = `${expression} finds nothing for ${resolved.environment}.`;
      problems.push({
        rule: "mapping",
        message,
        hint: "Add it to `Mappings`, or give it a DefaultValue.",
        ...at,
      });
    }
    collectExports(evaluated, exports, problems);
    names(stack, evaluated, problems);
    injectedTwice(stack, resolved.workloads, problems);
  }
  for (const workload of resolved.workloads) imports(workload, exports, problems);
}

/** Every resource has some value: only names and tables are judged here. */
export const placeholders: Meanings = {
  ref: (id) => id,
  getAtt: (id, attribute) => `${id}.${attribute}`,
  parameter: (name) => name,
  importValue: (name) => name,
};

function collectExports(evaluated: EvaluatedStack, exports: Set<string>, problems: Problem[]): void {
  for (const { exportName, at } of evaluated.outputs.values()) {
    if (exportName === undefined) continue;
    if (exports.has(exportName))
      problems.push({
        rule: "duplicate-export",
        message: `Two stacks of this environment export ${exportName}.`,
        ...at,
      });
    exports.add(exportName);
  }
}

/** `!Ref`, `!GetAtt` and `${…}` of a name that the merged template does not have. */
function references(stack: AddonStack, problems: Problem[]): void {
  const known = [...stack.parameters.keys(), ...stack.resources.keys()];
  const nodes = [...stack.resources.values()].map((resource) => resource.node);
  const outputs = [...stack.outputs.values()].flatMap(({ value, exportName }) => [value, exportName]);
  for (const root of [...nodes, ...outputs, stack.conditions]) {
    for (const node of walk(root)) {
      if (node.kind !== "map") continue;
      for (const name of namesIn(node)) {
        if (known.includes(name) || name.startsWith("AWS::")) continue;
        const message = `The template has no parameter or resource \`${name}\`.`;
        problems.push({
          rule: "unknown-reference",
          message,
          hint: suggest(name, known, "names"),
          ...node.at,
        });
      }
    }
  }
}

/** What the stack of an environment has only where Copilot makes the network. */
const ofOwnNetwork =
  /^(?:VPC|(?:Public|Private)Subnet\d+|InternetGateway|NatGateway\d+|(?:Public|Private)RouteTable\d*)$/;

/** References to the network of an environment that imports one: the environment's stack then fails to deploy. */
function network(workspace: Workspace, stack: AddonStack, problems: Problem[]): void {
  const manifest = workspace.environmentManifests.get(stack.environment)?.root;
  const imported = textOf(at(manifest, "network", "vpc", "id"));
  if (!imported) return;
  for (const { value } of stack.parameters.values()) {
    for (const node of walk(value)) {
      const name = node.kind === "map" ? namesIn(node).find((id) => ofOwnNetwork.test(id)) : undefined;
      if (name === undefined) continue;
      const message = `${stack.environment} imports its network, and its stack has no \`${name}\`.`;
      const hint =
        name === "VPC"
          ? "Write `!GetAtt EnvironmentSecurityGroup.VpcId`, which every environment has."
          : "Write the ids under `Mappings` on `Env`.";
      problems.push({ rule: "unknown-reference", message, hint, ...node.at });
    }
  }
}

/** Resources that wait for each other: CloudFormation refuses the template. */
function cycles(stack: AddonStack, problems: Problem[]): void {
  const graph = new Map<string, string[]>();
  for (const [id, { properties, node }] of stack.resources) {
    const referred = [...walk(properties)].flatMap((inner) => (inner.kind === "map" ? namesIn(inner) : []));
    const written = at(node, "DependsOn");
    graph.set(id, [...referred, ...(textsOf(written) ?? [])]);
  }
  for (const [id, { at: place }] of stack.resources) {
    const cycle = cycleThrough(graph, id);
    if (!cycle) continue;
    const message = `The resources refer to each other: ${cycle}. CloudFormation refuses the template.`;
    const hint = "Move one of the references into a resource of its own (a policy, an ingress rule).";
    problems.push({ rule: "cycle", message, hint, ...place });
  }
}

/** The longest names that AWS takes, where a template writes one out. */
const limits: Record<string, [string, number]> = {
  "AWS::SQS::Queue": ["QueueName", 80],
  "AWS::SNS::Topic": ["TopicName", 256],
  "AWS::IAM::Role": ["RoleName", 64],
  "AWS::IAM::ManagedPolicy": ["ManagedPolicyName", 128],
  "AWS::Lambda::Function": ["FunctionName", 64],
  "AWS::Serverless::Function": ["FunctionName", 64],
  "AWS::ElasticLoadBalancingV2::TargetGroup": ["Name", 32],
  "AWS::ElasticLoadBalancingV2::LoadBalancer": ["Name", 32],
  "AWS::S3::Bucket": ["BucketName", 63],
  "AWS::RDS::DBCluster": ["DBClusterIdentifier", 63],
  "AWS::RDS::DBInstance": ["DBInstanceIdentifier", 63],
  "AWS::ElastiCache::ReplicationGroup": ["ReplicationGroupId", 40],
  "AWS::Events::Rule": ["Name", 64],
  "AWS::StepFunctions::StateMachine": ["StateMachineName", 80],
  "AWS::CloudWatch::Alarm": ["AlarmName", 255],
  "AWS::DynamoDB::Table": ["TableName", 255],
  "AWS::Logs::LogGroup": ["LogGroupName", 512],
  "AWS::KMS::Alias": ["AliasName", 256],
};

function names(stack: AddonStack, evaluated: EvaluatedStack, problems: Problem[]): void {
  for (const { type, logicalId, properties } of evaluated.resources.values()) {
    const [property, most] = (Object.hasOwn(limits, type) && limits[type]) || [];
    const node = property ? at(stack.resources.get(logicalId)?.properties, property) : undefined;
    const name = property ? properties[property] : undefined;
    if (!node || !most || typeof name !== "string" || name.length <= most || !isKnown(node)) continue;
    problems.push({
      rule: "name-limit",
      message: `\`${logicalId}\` would be called ${name}: ${name.length} characters, and AWS takes ${most}.`,
      hint: `Shorten it by ${name.length - most}, or leave \`${property}\` out: CloudFormation makes one that fits.`,
      ...node.at,
    });
  }
}

/** Only what follows from application, environment and workload has its true length here. */
function isKnown(root: Node): boolean {
  const known = ["App", "Env", "Name", "AWS::Region", "AWS::AccountId", "AWS::Partition"];
  return [...walk(root)].every((node) => {
    if (node.kind !== "map") return true;
    const call = callOf(node)?.name ?? "";
    return (
      ["Ref", "Fn::Sub", "Fn::Join"].includes(call) && namesIn(node).every((name) => known.includes(name))
    );
  });
}

function namesIn(node: MapNode): string[] {
  const call = callOf(node);
  if (!call) return [];
  const { name, argument } = call;
  if (name === "Ref") return [textOf(argument) ?? ""];
  if (name === "Fn::GetAtt")
    return [(textOf(argument) ?? textOf(itemsOf(argument)[0]) ?? "").split(".")[0] ?? ""];
  return name === "Fn::Sub" ? namesInText(argument) : [];
}

function namesInText(argument: Node): string[] {
  const [template, own] = argument.kind === "list" ? argument.items : [argument];
  const local = own?.kind === "map" ? [...own.entries.keys()] : [];
  return [...(textOf(template) ?? "").matchAll(/\$\{([^!}][^}]*)\}/g)]
    .map(([, name = ""]) => name.trim())
    .filter((name) => !local.includes(name))
    .map((name) => name.split(".")[0] ?? "");
}

/** An addon's output becomes a variable, and may already be one. */
function injectedTwice(stack: AddonStack, workloads: Workload[], problems: Problem[]): void {
  const workload = workloads.find(({ name }) => name === stack.workload);
  if (!workload) return;
  for (const [output, { at }] of stack.outputs) {
    const type = referredType(stack, output) ?? "";
    const variable = outputVariable(output);
    const attached = type === "AWS::IAM::ManagedPolicy" || type === "AWS::EC2::SecurityGroup";
    if (attached || (!(variable in workload.variables) && !(variable in workload.secrets))) continue;
    const message = `Copilot gives this output to ${workload.name} as ${variable}, which its manifest sets too.`;
    problems.push({
      rule: "injected-variable",
      message,
      hint: `Remove ${variable} from ${workload.file}, or rename the output.`,
      ...at,
    });
  }
}

/** Exports may come from any stack of the account: only a name that is nearly one of ours is called wrong. */
function imports(workload: Workload, exports: Set<string>, problems: Problem[]): void {
  const sections = [
    ["variables", workload.variables],
    ["secrets", workload.secrets],
  ] as const;
  for (const [section, values] of sections) {
    for (const [name, value] of Object.entries(values)) {
      if ("fromCfn" in value) judge(value.fromCfn, workload, [section, name], exports, problems);
    }
  }
  workload.securityGroups.forEach((group) => {
    if (typeof group === "object")
      judge(group.fromCfn, workload, ["network", "vpc", "security_groups"], exports, problems);
  });
}

function judge(
  name: string,
  workload: Workload,
  path: string[],
  exports: Set<string>,
  problems: Problem[],
): void {
  if (exports.has(name)) return;
  const near = [...exports].find((known) => distance(known, name) <= 2);
  if (!near) return;
  const message = `No stack of this workspace exports ${name}.`;
  problems.push({
    rule: "unknown-export",
    message,
    hint: `Did you mean \`${near}\`?`,
    ...workload.source(path),
  });
}
