import {
  evaluate,
  type AddonStack,
  type EvaluatedResource,
  type EvaluatedStack,
  type Position,
  type Resolved,
} from "copilot-manifest";
import { account } from "./cloud.ts";
import { text } from "./text.ts";

export interface LocalDatabase {
  logicalId: string;
  name: string;
  /** Owns the database; may create roles and databases, and is no superuser, as in RDS. */
  owner: string;
}

export interface LocalFunction {
  name: string;
  arn: string;
  /** The workload whose addon declares it; undefined for the environment's. */
  workload: string | undefined;
  /** `<module>.<export>`. */
  handler: string;
  /** The folder that would be zipped, relative to the root. */
  code: string;
  variables: Record<string, string>;
  timeoutSeconds: number;
  /** Where an invocation goes that failed every time. */
  failures: string | undefined;
  at: Position;
}

export interface MailRule {
  recipients: string[];
  bucket: string | undefined;
  keyPrefix: string;
  functionArn: string | undefined;
  at: Position;
}

interface PlainQueue {
  name: string;
  arn: string;
  properties: Record<string, unknown>;
}

/** What the addon templates mean on this machine. */
export interface LocalAddons {
  /** What `from_cfn` finds, by export name. */
  exports: Map<string, string>;
  /** Outputs that Copilot gives to a workload's containers. */
  injected: Map<string, { variables: Record<string, string>; secrets: Record<string, string> }>;
  databases: LocalDatabase[];
  buckets: string[];
  queues: PlainQueue[];
  functions: LocalFunction[];
  mailRules: MailRule[];
  /** Resources that have no meaning here. */
  notRunHere: { type: string; logicalId: string; stack: string; at: Position }[];
}

export interface AddonContext {
  region: string;
  databasePort: number;
  queueUrl(name: string): string;
}

/** Types that matter to AWS's permissions, networks and bookkeeping only: no word about them is better. */
const silent =
  /^AWS::(IAM|EC2|KMS|Logs|CloudWatch)::|Policy$|Permission$|SubnetGroup$|ParameterGroup$|ReceiptRuleSet$|DBInstance$/;

/** Evaluates the stacks (the environment's first: others import what it exports) with local values for what they name. */
export function localAddons(stacks: AddonStack[], resolved: Resolved, context: AddonContext): LocalAddons {
  const local: LocalAddons = {
    exports: new Map(),
    injected: new Map(),
    databases: [],
    buckets: [],
    queues: [],
    functions: [],
    mailRules: [],
    notRunHere: [],
  };
  for (const stack of stacks) {
    const names = new StackNames(stack, resolved, context);
    const evaluated = evaluate(stack, {
      ref: (logicalId, resource) => names.ref(logicalId, resource),
      getAtt: (logicalId, attribute, resource) => names.getAtt(logicalId, attribute, resource),
      importValue: (name) => local.exports.get(name),
      pseudo: (name) => pseudo(name, context.region, names.prefix),
    });
    take(local, evaluated, names);
    for (const { value, exportName } of evaluated.outputs.values()) {
      if (exportName !== undefined && value !== undefined) local.exports.set(exportName, text(value));
    }
    if (stack.workload !== undefined) {
      const { variables, secrets } = evaluated.injected;
      local.injected.set(stack.workload, { variables, secrets });
    }
  }
  return local;
}

function take(local: LocalAddons, evaluated: EvaluatedStack, names: StackNames) {
  for (const resource of evaluated.resources.values()) {
    const { type, logicalId, properties, at } = resource;
    switch (type) {
      case "AWS::RDS::DBCluster":
        local.databases.push(databaseOf(resource, properties.DatabaseName));
        break;
      case "AWS::RDS::DBInstance":
        // A cluster's instance adds nothing; one of its own is a database.
        if (properties.DBClusterIdentifier === undefined)
          local.databases.push(databaseOf(resource, properties.DBName));
        break;
      case "AWS::S3::Bucket":
        local.buckets.push(names.bucket(resource));
        break;
      case "AWS::SQS::Queue":
        local.queues.push({
          name: names.queue(resource),
          arn: names.arn("sqs", names.queue(resource)),
          properties,
        });
        break;
      case "AWS::Lambda::Function": {
        const failures = (properties.DeadLetterConfig as { TargetArn?: unknown } | undefined)?.TargetArn;
        const environment = properties.Environment as { Variables?: Record<string, unknown> } | undefined;
        local.functions.push({
          name: names.function(resource),
          arn: names.functionArn(resource),
          workload: evaluated.workload,
          handler: text(properties.Handler),
          code: text(properties.Code),
          variables: Object.fromEntries(
            Object.entries(environment?.Variables ?? {}).map(([key, value]) => [key, text(value)]),
          ),
          timeoutSeconds: Number(properties.Timeout ?? 3),
          failures: failures === undefined ? undefined : text(failures),
          at,
        });
        break;
      }
      case "AWS::SES::ReceiptRule": {
        const rule = (properties.Rule ?? {}) as {
          Enabled?: unknown;
          Recipients?: unknown[];
          Actions?: {
            S3Action?: { BucketName?: unknown; ObjectKeyPrefix?: unknown };
            LambdaAction?: { FunctionArn?: unknown };
          }[];
        };
        if (text(rule.Enabled ?? true) !== "true") break;
        const store = rule.Actions?.find((action) => action.S3Action)?.S3Action;
        const call = rule.Actions?.find((action) => action.LambdaAction)?.LambdaAction;
        local.mailRules.push({
          recipients: (rule.Recipients ?? []).map(text),
          bucket: store && text(store.BucketName),
          keyPrefix: text(store?.ObjectKeyPrefix ?? ""),
          functionArn: call && text(call.FunctionArn),
          at,
        });
        break;
      }
      case "AWS::SecretsManager::Secret":
        break;
      default:
        if (!silent.test(type)) local.notRunHere.push({ type, logicalId, stack: names.prefix, at });
    }
  }
}

function databaseOf({ logicalId, properties }: EvaluatedResource, name: unknown): LocalDatabase {
  return {
    logicalId,
    name: text(name ?? "postgres"),
    owner: text(properties.MasterUsername ?? "postgres"),
  };
}

/** The names and addresses that the resources of one stack have here. */
class StackNames {
  readonly prefix: string;
  readonly #stack: AddonStack;
  readonly #resolved: Resolved;
  readonly #context: AddonContext;

  constructor(stack: AddonStack, resolved: Resolved, context: AddonContext) {
    this.#stack = stack;
    this.#resolved = resolved;
    this.#context = context;
    this.prefix = [stack.application, stack.environment, stack.workload].filter(Boolean).join("-");
  }

  arn(service: string, name: string): string {
    return `arn:aws:${service}:${this.#context.region}:${account}:${name}`;
  }
  bucket({ logicalId, properties }: EvaluatedResource): string {
    // CloudFormation makes such names up too; S3 allows small letters only.
    return text(properties.BucketName ?? `${this.prefix}-${logicalId}`.toLowerCase()).slice(0, 63);
  }
  queue({ logicalId, properties }: EvaluatedResource): string {
    const fifo = text(properties.FifoQueue) === "true";
    return text(properties.QueueName ?? `${this.prefix}-${logicalId}`.slice(0, 75) + (fifo ? ".fifo" : ""));
  }
  function({ logicalId, properties }: EvaluatedResource): string {
    return text(properties.FunctionName ?? `${this.prefix}-${logicalId}`).slice(0, 64);
  }
  functionArn(resource: EvaluatedResource): string {
    return this.arn("lambda", `function:${this.function(resource)}`);
  }

  ref(logicalId: string, resource: EvaluatedResource | undefined): unknown {
    if (!resource) return this.#ofParent(logicalId) ?? `${this.prefix}-${logicalId}`;
    switch (resource.type) {
      case "AWS::S3::Bucket":
        return this.bucket(resource);
      case "AWS::SQS::Queue":
        return this.#context.queueUrl(this.queue(resource));
      case "AWS::Lambda::Function":
        return this.function(resource);
      case "AWS::SecretsManager::Secret":
        return this.arn(
          "secretsmanager",
          `secret:${text(resource.properties.Name ?? `${this.prefix}-${logicalId}`)}`,
        );
      default:
        return `${this.prefix}-${logicalId}`;
    }
  }

  getAtt(logicalId: string, attribute: string, resource: EvaluatedResource | undefined): unknown {
    const name = `${this.prefix}-${logicalId}`;
    if (!resource) {
      const queue = this.#resolved.topology.queues.find((candidate) => candidate.logicalId === logicalId);
      if (queue && attribute === "Arn") return this.arn("sqs", queue.resourceName);
      return `${name}-${attribute}`;
    }
    switch (`${resource.type}.${attribute}`) {
      case "AWS::RDS::DBCluster.Endpoint.Address":
      case "AWS::RDS::DBCluster.ReadEndpoint.Address":
      case "AWS::RDS::DBInstance.Endpoint.Address":
        return "127.0.0.1";
      case "AWS::RDS::DBCluster.Endpoint.Port":
      case "AWS::RDS::DBInstance.Endpoint.Port":
        return text(this.#context.databasePort);
      case "AWS::S3::Bucket.Arn":
        return `arn:aws:s3:::${this.bucket(resource)}`;
      case "AWS::SQS::Queue.Arn":
        return this.arn("sqs", this.queue(resource));
      case "AWS::SQS::Queue.QueueName":
        return this.queue(resource);
      case "AWS::Lambda::Function.Arn":
        return this.functionArn(resource);
      default:
        return attribute === "Arn" ? this.arn("local", name) : `${name}-${attribute}`;
    }
  }

  /** Topics and queues of the workload whose stack nests this one. */
  #ofParent(logicalId: string): string | undefined {
    const mine = (candidate: { workload: string }) => candidate.workload === this.#stack.workload;
    const { topics, queues } = this.#resolved.topology;
    const topic = topics.filter(mine).find((candidate) => candidate.logicalId === logicalId);
    if (topic) return this.arn("sns", topic.resourceName);
    const queue = queues.filter(mine).find((candidate) => candidate.logicalId === logicalId);
    if (queue) return this.#context.queueUrl(queue.resourceName);
    return undefined;
  }
}

function pseudo(name: string, region: string, stack: string): string | undefined {
  switch (name) {
    case "AWS::Region":
      return region;
    case "AWS::AccountId":
      return account;
    case "AWS::Partition":
      return "aws";
    case "AWS::URLSuffix":
      return "amazonaws.com";
    case "AWS::StackName":
      return stack;
    default:
      return undefined;
  }
}
