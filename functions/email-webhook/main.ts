import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { env, logger } from "@noren/service";
import { z } from "zod";
import { emailWebhook } from "./receive.ts";

const { MAIL_BUCKET, EXTERNAL_EC_TOPIC_ARN, AWS_ENDPOINT_URL } = env({
  MAIL_BUCKET: z.string(),
  EXTERNAL_EC_TOPIC_ARN: z.string(),
  AWS_ENDPOINT_URL: z.url().optional(),
});

export const handler = emailWebhook({
  // A local S3 answers on one host; the bucket as part of the host name works in AWS only.
  s3: new S3Client({ forcePathStyle: AWS_ENDPOINT_URL !== undefined }),
  sns: new SNSClient(),
  bucket: MAIL_BUCKET,
  topicArn: EXTERNAL_EC_TOPIC_ARN,
  log: logger("email-webhook"),
});
