import type { SQSClient } from "@aws-sdk/client-sqs";
import type { Queue } from "copilot-manifest";
import type { Pool } from "pg";
import { awsTarget } from "./aws.ts";
import { localTarget } from "./local.ts";
import type { Manifests } from "./manifests.ts";

/** What messages of a worker wait in: its queue; what was given up; what SNS could not deliver to it. */
export type Which = "queue" | "dead" | "undelivered";

/** Where a command acts: an environment in AWS, or the workspace that runs on this machine. */
export type Target = {
  /** As it was typed: `production`, `local`. */
  name: string;
  manifests: Manifests;
  sqs: SQSClient;
  /** Whether SNS puts what it cannot deliver into a queue: only AWS's does. */
  keepsUndelivered: boolean;
  /** The address of a queue, or of one of the two beside it. */
  queueUrl(queue: Queue, which?: Which): Promise<string>;
  /** The database, as the operator's role. Throws a Refusal that says how to reach it. */
  database(): Promise<Pool>;
  /** Who is asking, as the credentials say. */
  actor(): Promise<string>;
  close(): Promise<void>;
};

/** The role of packages/database that may look after messages and nothing else. */
export const operatorRole = "noren_operator";

/** `local` is the workspace that runs with the data folder; anything else an environment of the manifests, in AWS. */
export function openTarget(
  name: string,
  { root, data, variables }: { root: string; data: string; variables: NodeJS.ProcessEnv },
): Promise<Target> {
  return name === "local" ? localTarget(root, data) : awsTarget(root, name, variables);
}
