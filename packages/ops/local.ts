import { userInfo } from "node:os";
import { GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { findRunning } from "copilot-local/find";
import { Pool } from "pg";
import { readManifests } from "./manifests.ts";
import { Refusal } from "./refusal.ts";
import { operatorRole } from "./target.ts";
import type { Target } from "./target.ts";

/** The workspace that runs here with that data folder. Throws a UserError when none does. */
export async function localTarget(root: string, data: string): Promise<Target> {
  const { environment, aws, database } = await findRunning(data);
  const manifests = readManifests(root, environment);
  const sqs = new SQSClient({
    endpoint: aws.endpoint,
    region: aws.region,
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  let pool: Pool | undefined;
  return {
    name: "local",
    manifests,
    sqs,
    keepsUndelivered: false,
    async queueUrl(queue, which = "queue") {
      if (which === "undelivered")
        throw new Refusal("here nothing is undelivered: only AWS's SNS keeps what it cannot deliver.");
      const name = which === "dead" ? queue.deadLetter?.resourceName : queue.resourceName;
      const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }));
      return QueueUrl ?? "";
    },
    async database() {
      const [first] = database?.databases ?? [];
      if (!database || !first) throw new Refusal("the workspace that runs here has no database.");
      pool ??= newPool({
        host: database.host,
        port: database.port,
        database: first.name,
        user: operatorRole,
      });
      return pool;
    },
    actor: async () => userInfo().username,
    async close() {
      sqs.destroy();
      await pool?.end();
    },
  };
}

/** Few connections, each of which may break without ending the process. */
export function newPool(config: ConstructorParameters<typeof Pool>[0]): Pool {
  const pool = new Pool({ application_name: "pnpm ops", max: 3, connectionTimeoutMillis: 5000, ...config });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}
