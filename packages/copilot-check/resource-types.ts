import { createHash } from "node:crypto";
import type { Values } from "./template.ts";
import { textOf } from "./text.ts";

/** Where the stacks live. One account and one region: Copilot's own default. */
export interface Place {
  region: string;
  account: string;
}

/** What is known of a resource when it exists. */
export interface Named {
  type: string;
  /** Physical name. */
  name: string;
  properties: Values;
}

interface ResourceType {
  /** The property that names it; without it, or when it is absent, CloudFormation makes a name. */
  nameProperty?: string;
  /** Several resources may carry the name (revisions of a task definition). */
  shared?: boolean;
  /** From `<stack>-<logical id>-<random>` to what the service allows. */
  generate?: (name: string, properties: Values, seed: string) => string;
  /** `!Ref`; default the name. */
  ref?: (resource: Named, place: Place) => string;
  /** `!GetAtt X.Arn`, and other attributes that end in Arn. */
  arn?: (resource: Named, place: Place) => string;
}

const arn = (service: string, rest: string, { region, account }: Place): string =>
  `arn:aws:${service}:${region}:${account}:${rest}`;
const globalArn = (service: string, rest: string, { account }: Place): string =>
  `arn:aws:${service}::${account}:${rest}`;
const id = (prefix: string) => (_name: string, _properties: Values, seed: string) =>
  `${prefix}-0${seed.slice(0, 16)}`;
const ofBoth = (make: (resource: Named, place: Place) => string) => ({ ref: make, arn: make });

/** A bucket's name has at most 63 characters; a longer one would turn every S3 call into path style. */
function bucketName(name: string): string {
  const lower = name.toLowerCase();
  return lower.length <= 63 ? lower : `${lower.slice(0, 48)}${lower.slice(-15)}`;
}

const types: Record<string, ResourceType> = {
  "AWS::IAM::Role": { nameProperty: "RoleName", arn: ({ name }, at) => globalArn("iam", `role/${name}`, at) },
  "AWS::IAM::ManagedPolicy": {
    nameProperty: "ManagedPolicyName",
    ref: ({ name }, at) => globalArn("iam", `policy/${name}`, at),
  },
  "AWS::S3::Bucket": {
    nameProperty: "BucketName",
    generate: bucketName,
    arn: ({ name }) => `arn:aws:s3:::${name}`,
  },
  "AWS::SNS::Topic": { nameProperty: "TopicName", ...ofBoth(({ name }, at) => arn("sns", name, at)) },
  "AWS::SQS::Queue": {
    nameProperty: "QueueName",
    generate: (name, { FifoQueue }) => {
      const fifo = FifoQueue === true || FifoQueue === "true" ? ".fifo" : "";
      return name.slice(0, 80 - fifo.length) + fifo;
    },
    ref: ({ name }, { region, account }) => `https://sqs.${region}.amazonaws.com/${account}/${name}`,
    arn: ({ name }, at) => arn("sqs", name, at),
  },
  "AWS::ECS::Cluster": {
    nameProperty: "ClusterName",
    arn: ({ name }, at) => arn("ecs", `cluster/${name}`, at),
  },
  "AWS::ECS::TaskDefinition": { nameProperty: "Family", shared: true },
  "AWS::ECS::Service": {
    nameProperty: "ServiceName",
    ref: ({ name, properties }, at) => arn("ecs", `service/${String(properties.Cluster)}/${name}`, at),
  },
  "AWS::ElasticLoadBalancingV2::LoadBalancer": {
    generate: (name) => name.slice(0, 32),
    ...ofBoth(({ name }, at) => arn("elasticloadbalancing", `loadbalancer/app/${name}/50dc6c495c0c9188`, at)),
  },
  "AWS::ElasticLoadBalancingV2::TargetGroup": {
    generate: (name) => name.slice(-32).replace(/^-+/, ""),
    ref: ({ name }, at) => arn("elasticloadbalancing", `targetgroup/${name}/943f017f100becff`, at),
  },
  "AWS::ElasticLoadBalancingV2::Listener": {
    ref: ({ name }, at) =>
      arn("elasticloadbalancing", `listener/app/${name}/50dc6c495c0c9188/f2f7dc8efc522ab2`, at),
  },
  "AWS::ElasticLoadBalancingV2::ListenerRule": {
    ref: ({ name }, at) =>
      arn(
        "elasticloadbalancing",
        `listener-rule/app/${name}/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee`,
        at,
      ),
  },
  "AWS::StepFunctions::StateMachine": {
    nameProperty: "StateMachineName",
    ...ofBoth(({ name }, at) => arn("states", `stateMachine:${name}`, at)),
  },
  "AWS::Lambda::Function": {
    nameProperty: "FunctionName",
    generate: (name) => name.slice(0, 64),
    arn: ({ name }, at) => arn("lambda", `function:${name}`, at),
  },
  "AWS::KMS::Key": {
    generate: (_name, _properties, seed) =>
      `${seed.slice(0, 8)}-${seed.slice(8, 12)}-4${seed.slice(12, 15)}-8${seed.slice(15, 18)}-${seed.slice(18, 30)}`,
    arn: ({ name }, at) => arn("kms", `key/${name}`, at),
  },
  "AWS::KMS::Alias": { nameProperty: "AliasName" },
  "AWS::ECR::Repository": {
    nameProperty: "RepositoryName",
    arn: ({ name }, at) => arn("ecr", `repository/${name}`, at),
  },
  "AWS::Logs::LogGroup": {
    nameProperty: "LogGroupName",
    arn: ({ name }, at) => arn("logs", `log-group:${name}:*`, at),
  },
  "AWS::SecretsManager::Secret": {
    nameProperty: "Name",
    ref: ({ name }, at) => arn("secretsmanager", `secret:${name}-AbCdEf`, at),
  },
  "AWS::SSM::Parameter": { nameProperty: "Name" },
  "AWS::CodeStarConnections::Connection": {
    ref: ({ name }, at) => arn("codestar-connections", `connection/${name}`, at),
  },
  "AWS::CodePipeline::Pipeline": {
    nameProperty: "Name",
    arn: ({ name }, at) => arn("codepipeline", name, at),
  },
  "AWS::CodeBuild::Project": {
    nameProperty: "Name",
    arn: ({ name }, at) => arn("codebuild", `project/${name}`, at),
  },
  "AWS::CloudWatch::Alarm": {
    nameProperty: "AlarmName",
    arn: ({ name }, at) => arn("cloudwatch", `alarm:${name}`, at),
  },
  "AWS::Events::Rule": { nameProperty: "Name", arn: ({ name }, at) => arn("events", `rule/${name}`, at) },
  "AWS::RDS::DBCluster": {
    nameProperty: "DBClusterIdentifier",
    generate: (name) => name.toLowerCase().slice(0, 63),
    arn: ({ name }, at) => arn("rds", `cluster:${name}`, at),
  },
  "AWS::EC2::VPC": { generate: id("vpc") },
  "AWS::EC2::Subnet": { generate: id("subnet") },
  "AWS::EC2::SecurityGroup": { generate: id("sg") },
  "AWS::EC2::RouteTable": { generate: id("rtb") },
  "AWS::EC2::InternetGateway": { generate: id("igw") },
  "AWS::EC2::NatGateway": { generate: id("nat") },
  "AWS::Route53::HostedZone": {
    generate: (_name, _properties, seed) => `Z0${seed.slice(0, 18).toUpperCase()}`,
  },
  "AWS::ServiceDiscovery::PrivateDnsNamespace": {
    generate: id("ns"),
    arn: ({ name }, at) => arn("servicediscovery", `namespace/${name}`, at),
  },
  "AWS::ServiceDiscovery::Service": {
    generate: id("srv"),
    arn: ({ name }, at) => arn("servicediscovery", `service/${name}`, at),
  },
};

/** The name that the template gives, if its type has one and the template does. */
export function explicitName(type: string, properties: Values): string | undefined {
  const property = types[type]?.nameProperty;
  const name = property === undefined ? undefined : properties[property];
  return name === undefined || name === null ? undefined : textOf(name);
}

export function isShared(type: string): boolean {
  return types[type]?.shared ?? false;
}

/** The name that CloudFormation would make. The random part follows from stack and id, so that every run gives the same. */
export function generatedName(type: string, stack: string, logicalId: string, properties: Values): string {
  const seed = createHash("sha256").update(`${stack}/${logicalId}`).digest("hex");
  const name = `${stack}-${logicalId}-${seed.slice(0, 12).toUpperCase()}`;
  return types[type]?.generate?.(name, properties, seed) ?? name;
}

/** What `!Ref` gives. */
export function refOf(resource: Named, place: Place, revision = 1): string {
  if (resource.type === "AWS::ECS::TaskDefinition")
    return arn("ecs", `task-definition/${resource.name}:${revision}`, place);
  return types[resource.type]?.ref?.(resource, place) ?? resource.name;
}

/**
 * What `!GetAtt` gives. Whether the type has this attribute is not judged here (cfn-lint does): an unknown one becomes
 * a text that names it.
 */
export function attributeOf(resource: Named, attribute: string, place: Place): unknown {
  const { name, type } = resource;
  const known = types[type];
  if (attribute === "MasterUserSecret.SecretArn")
    return arn("secretsmanager", `secret:rds!cluster-${name}`, place);
  if (attribute.endsWith("Arn") && known?.arn) return known.arn(resource, place);
  switch (attribute) {
    case "Arn":
      return known?.ref?.(resource, place) ?? arn(serviceOf(type), name, place);
    case "DNSName":
      return `${name.toLowerCase()}-1234567890.${place.region}.elb.amazonaws.com`;
    case "CanonicalHostedZoneID":
      return "Z14GRHDCWA56QT";
    case "RepositoryUri":
      return `${place.account}.dkr.ecr.${place.region}.amazonaws.com/${name}`;
    case "LoadBalancerFullName":
      return `app/${name}/50dc6c495c0c9188`;
    case "TargetGroupFullName":
      return `targetgroup/${name}/943f017f100becff`;
    case "TargetGroupArns":
      return [];
    case "NameServers":
      return nameServers(name);
    case "GroupId":
    case "LoadBalancerName":
    case "QueueName":
    case "TopicName":
    case "Name":
    case "KeyId":
      return name;
    case "DomainName":
      return `${name.toLowerCase()}.s3.amazonaws.com`;
    default:
      return `${attribute}-of-${name}`;
  }
}

/** Of a hosted zone: each has four, in as many top-level domains. */
export function nameServers(zone: string): string[] {
  const seed = Number.parseInt(createHash("sha256").update(zone).digest("hex").slice(0, 2), 16);
  return ["com", "net", "org", "co.uk"].map((end, i) => `ns-${seed + 512 * i}.awsdns-${seed % 64}.${end}`);
}

function serviceOf(type: string): string {
  return (type.split("::")[1] ?? "").toLowerCase();
}
