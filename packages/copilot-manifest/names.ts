/** Copilot's `logicalIDSafe`: letters and digits only. */
export function logicalId(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, "");
}

/** The id of a published topic in its workload's stack: `ec-order` (FIFO) → `ecorderfifoSNSTopic`. */
export function topicLogicalId(name: string, fifo: boolean): string {
  return `${logicalId(fifo ? `${name}.fifo` : name)}SNSTopic`;
}

/** The variable that an addon output becomes: `FeedBucketName` → `FEED_BUCKET_NAME`. */
export function outputVariable(output: string): string {
  return output;
}
