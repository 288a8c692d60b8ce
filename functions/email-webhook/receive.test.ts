import { readFileSync } from "node:fs";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { mallMailReceived, unknownCompany } from "@noren/events";
import { logger } from "@noren/service";
import type { SESEvent } from "aws-lambda";
import { type FauxqsServer, startFauxqs } from "fauxqs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { emailWebhook } from "./receive.ts";

const orderMail = readFileSync(new URL("order-mail.eml", import.meta.url), "latin1");
const cancelMail = readFileSync(new URL("cancel-mail.eml", import.meta.url), "latin1");

let aws: FauxqsServer;
let s3: S3Client;
let handler: (event: SESEvent) => Promise<void>;

beforeAll(async () => {
  aws = await startFauxqs({ port: 0, logger: false, defaultRegion: "ap-northeast-1" });
});
afterAll(() => aws.stop());

beforeEach(() => {
  // Everything anew: the memory of deduplication ids outlives a purge of the messages.
  aws.purgeAll();
  aws.createBucket("mail");
  const { topicArn } = aws.createTopic("external-ec.fifo", { attributes: { FifoTopic: "true" } });
  aws.createQueue("probe.fifo", { attributes: { FifoQueue: "true" } });
  aws.subscribe({
    topic: "external-ec.fifo",
    queue: "probe.fifo",
    attributes: { RawMessageDelivery: "true" },
  });
  const client = {
    endpoint: aws.address,
    region: "ap-northeast-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  };
  s3 = new S3Client({ ...client, forcePathStyle: true });
  handler = emailWebhook({ s3, sns: new SNSClient(client), bucket: "mail", topicArn, log: logger("test") });
});

type Verdict = "PASS" | "FAIL" | "GRAY" | "PROCESSING_FAILED" | "DISABLED";

let mails = 0;
/** Does what SES does: puts the mail into the bucket, then calls the function with its verdicts. */
async function arrive(
  mail: string,
  verdicts: { spam?: Verdict; virus?: Verdict; dmarc?: Verdict } = {},
): Promise<void> {
  const messageId = `ses-${++mails}`;
  await s3.send(new PutObjectCommand({ Bucket: "mail", Key: messageId, Body: Buffer.from(mail, "latin1") }));
  await handler(sesEvent(messageId, verdicts));
}

function sesEvent(
  messageId: string,
  { spam = "PASS", virus = "PASS", dmarc = "PASS" }: Record<string, Verdict>,
) {
  const recipients = ["orders@mail.noren.example"];
  const timestamp = "2026-11-24T01:15:42.000Z";
  return {
    Records: [
      {
        eventSource: "aws:ses",
        eventVersion: "1.0",
        ses: {
          mail: {
            messageId,
            timestamp,
            source: "bounce@mall-a.example",
            destination: recipients,
            headers: [],
          },
          receipt: {
            timestamp,
            recipients,
            spamVerdict: { status: spam },
            virusVerdict: { status: virus },
            dmarcVerdict: { status: dmarc },
          },
        },
      },
    ],
  } as unknown as SESEvent;
}

const published = () =>
  aws.inspectQueue("probe.fifo")!.messages.ready.map(({ body }) => JSON.parse(body) as unknown);

test("a mall's order mail in ISO-2022-JP becomes one event in the order's group", async () => {
  await arrive(orderMail);
  const [event, ...more] = published();
  expect(more).toEqual([]);
  expect(mallMailReceived.parse(event)).toMatchObject({
    companyId: unknownCompany,
    aggregate: { type: "mall-order", id: "MA-20261124-0001" },
    data: {
      kind: "order",
      mallOrderNo: "MA-20261124-0001",
      accountHint: "orders",
      messageId: "<order-0001@mall-a.example>",
    },
  });
});

test("the queue can filter on the event's type", async () => {
  await arrive(orderMail);
  const [message] = aws.inspectQueue("probe.fifo")!.messages.ready;
  expect(message?.messageAttributes["type"]?.StringValue).toBe("mall.mail_received");
});

test("the same mail sent twice has the same event id, another mail has its own", async () => {
  await arrive(orderMail);
  await arrive(orderMail);
  await arrive(cancelMail);
  const events = published().map((event) => mallMailReceived.parse(event));
  // The second was dropped by its deduplication id, which is the event id.
  expect(events.map(({ data }) => data.kind)).toEqual(["order", "cancel"]);
  expect(new Set(events.map(({ id }) => id)).size).toBe(2);
});

test.each([
  ["spam", { spam: "FAIL" }],
  ["a virus", { virus: "FAIL" }],
  ["no DMARC proof", { dmarc: "GRAY" }],
  ["a check that could not run", { virus: "PROCESSING_FAILED" }],
] as const)("a mail with %s is refused without an error", async (_, verdicts) => {
  await arrive(orderMail, verdicts);
  expect(published()).toEqual([]);
});

test("a mail from somebody else, or with two senders, is refused", async () => {
  await arrive(orderMail.replaceAll("order@mall-a.example", "order@mall-b.example"));
  await arrive(orderMail.replace("To:", "From: <order@mall-a.example>\nTo:"));
  expect(published()).toEqual([]);
});

test("a mall's mail about no order is ignored", async () => {
  await arrive(orderMail.replace(/Subject: .*\n .*\n/, "Subject: Newsletter\n"));
  expect(published()).toEqual([]);
});

test("an absurd date does not make an id of another year", async () => {
  await arrive(orderMail.replace("24 Nov 2026", "24 Nov 1999"));
  const [event] = published().map((event) => mallMailReceived.parse(event));
  const madeAt = Number.parseInt(event!.id.replaceAll("-", "").slice(0, 12), 16);
  expect(new Date(madeAt).toISOString()).toBe("2026-11-24T01:15:42.000Z");
});

test("a mail that is not in the bucket is an error, so that Lambda tries again", async () => {
  await expect(handler(sesEvent("missing", {}))).rejects.toThrow("does not exist");
});
