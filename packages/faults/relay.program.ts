// A relay that publishes to SNS, in a process of its own.
import { SNSClient } from "@aws-sdk/client-sns";
import { relay, snsPublisher } from "outbox";
import { Client } from "pg";
import { serve } from "./process.ts";

export type RelaySettings = {
  databaseUrl: string;
  endpoint: string;
  topicArns: Record<string, string>;
  id: string;
  sessionTimeoutMs: number;
  publishTimeoutMs: number;
};

const settings = JSON.parse(process.argv[2] ?? "") as RelaySettings;
const nothing = () => {};
const credentials = { accessKeyId: "x", secretAccessKey: "x" };
const sns = new SNSClient({ endpoint: settings.endpoint, region: "us-east-1", credentials, maxAttempts: 1 });
const engine = relay({
  connect: () => new Client({ connectionString: settings.databaseUrl }),
  publish: snsPublisher(sns, settings.topicArns, { timeoutMs: settings.publishTimeoutMs }),
  log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
  id: settings.id,
  sessionTimeoutMs: settings.sessionTimeoutMs,
});
serve(
  () => engine.health(),
  () => engine.stop(),
);
