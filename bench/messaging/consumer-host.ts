// A consumer in a process of its own, to be killed.
import { SQSClient } from "@aws-sdk/client-sqs";
import { Pool } from "pg";
import { consume } from "./consumer.ts";
import { aws } from "./rig.ts";

const [connectionString = "", endpoint = "", queueUrl = ""] = process.argv.slice(2);
const pool = new Pool({ connectionString, max: 8 });
pool.on("error", () => {});
await consume(new SQSClient(aws(endpoint)), pool, queueUrl, { afterCommit: () => {} });
// It ends with whoever started it.
process.stdin.resume().on("end", () => process.exit(0));
