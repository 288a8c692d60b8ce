import { z } from "zod";

/** COPILOT_SNS_TOPIC_ARNS: JSON written by Copilot, `{"sale.fifo": "arn:aws:sns:…", …}`; at least one topic. */
export const topicArns = z.string().transform((text, context): Record<string, string> => {
  try {
    const arns = z.record(z.string(), z.string().startsWith("arn:")).parse(JSON.parse(text));
    if (Object.keys(arns).length > 0) return arns;
    context.addIssue("has no topic: declare them under publish.topics");
  } catch {
    context.addIssue("is not a JSON object of topic name and ARN, as Copilot writes it");
  }
  return z.NEVER;
});
