import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { PublishCommand, type SNSClient } from "@aws-sdk/client-sns";
import { eventIdFor, mallMailReceived, unknownCompany } from "@noren/events";
import type { Logger } from "@noren/service";
import type { SESEvent, SESEventRecord } from "aws-lambda";
import PostalMime, { type Email } from "postal-mime";
import * as mallA from "./mall-a.ts";
import { traceparent } from "./trace.ts";
import { distrust } from "./trust.ts";

const malls = [mallA];

/** How far a mail's own date may be from its receipt before the receipt's time is taken instead. */
const MAX_DRIFT_MS = 3 * 24 * 3_600_000;

export type EmailWebhookOptions = {
  s3: S3Client;
  sns: SNSClient;
  /** Where SES has put the raw mail, under its own message id. */
  bucket: string;
  /** Topic `external-ec`. */
  topicArn: string;
  log: Logger;
};

/**
 * The Lambda handler: turns a mall's mail into `mall.mail_received`.
 *
 * A mail that must not be believed, or that is none of ours, is logged and dropped: trying again cannot help.
 * Everything else that fails is thrown, so that Lambda tries again and finally leaves the call to its own dead letters.
 * The mail only says that something happened; what was ordered is fetched from the mall by worker-external-ec.
 */
export function emailWebhook(options: EmailWebhookOptions): (event: SESEvent) => Promise<void> {
  return async (event) => {
    for (const record of event.Records) await receive(options, record);
  };
}

async function receive(options: EmailWebhookOptions, { ses }: SESEventRecord): Promise<void> {
  const log = options.log.child({ sesMessageId: ses.mail.messageId });
  const reason = distrust(ses.receipt);
  if (reason) return log.warn({ reason }, "mail refused: SES does not vouch for it");

  const mail = await PostalMime.parse(await raw(options, ses.mail.messageId));
  const mall = malls.find(({ sender }) => sender === onlySender(mail));
  if (!mall) return log.warn("mail refused: its sender is no mall that we know");
  const said = mall.read(mail.subject ?? "");
  if (!said) return log.info("mail ignored: its subject is about no order");

  const trace = traceparent(process.env["_X_AMZN_TRACE_ID"]);
  const messageId = mail.messageId ?? ses.mail.messageId;
  const received = mallMailReceived.create({
    // A mail that the mall sends twice has the same date and Message-ID, so it becomes the same event.
    id: eventIdFor(sentAt(mail, ses.mail.timestamp), messageId),
    companyId: unknownCompany,
    aggregateId: said.mallOrderNo,
    occurredAt: ses.mail.timestamp,
    ...(trace ? { traceparent: trace } : {}),
    data: { ...said, messageId, accountHint: accountHint(ses.receipt.recipients) },
  });
  await publish(options, received, trace);
  log.info({ eventId: received.id, mallOrderNo: said.mallOrderNo, kind: said.kind }, "mall mail received");
}

async function raw({ s3, bucket }: EmailWebhookOptions, messageId: string): Promise<Uint8Array> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: messageId }));
  if (!Body) throw new Error(`The mail ${messageId} has no content in bucket ${bucket}.`);
  return Body.transformToByteArray();
}

/** The From address, unless there are several headers or addresses: which one DMARC looked at would then be a guess. */
function onlySender({ from, headers }: Email): string | undefined {
  if (headers.filter(({ key }) => key === "from").length !== 1) return undefined;
  return from?.address?.toLowerCase();
}

/** The mail's own date while it is plausible: a wrong clock at the sender must not make ids of another year. */
function sentAt({ date }: Email, receivedAt: string): Date {
  const received = new Date(receivedAt);
  const sent = new Date(date ?? Number.NaN);
  return Math.abs(sent.getTime() - received.getTime()) <= MAX_DRIFT_MS ? sent : received;
}

/**
 * The local part of the address that the mall wrote to (`orders`): each account gives its mall another address of ours,
 * so this names account and company. The function has no database to look them up; the reader of the event has.
 */
function accountHint(recipients: string[]): string {
  return (recipients[0] ?? "").split("@")[0]?.toLowerCase() ?? "";
}

async function publish(
  { sns, topicArn }: EmailWebhookOptions,
  event: ReturnType<typeof mallMailReceived.create>,
  trace: string | undefined,
): Promise<void> {
  const text = (StringValue: string) => ({ DataType: "String", StringValue });
  await sns.send(
    new PublishCommand({
      TopicArn: topicArn,
      Message: JSON.stringify(event),
      MessageGroupId: event.aggregate.id,
      MessageDeduplicationId: event.id,
      MessageAttributes: { type: text(event.type), ...(trace ? { traceparent: text(trace) } : {}) },
    }),
  );
}
