/** Copilot's `logicalIDSafe`: letters and digits only. */
export function logicalId(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, "");
}

/** The id of a published topic in its workload's stack, what addons.parameters.yml refers to: `ec-order`, FIFO → `ecorderfifoSNSTopic`. */
export function topicLogicalId(name: string, fifo: boolean): string {
  return `${logicalId(topicKey(name, fifo))}SNSTopic`;
}

/** The topic's key in `COPILOT_SNS_TOPIC_ARNS`: the name, with `.fifo` where it is one. */
export function topicKey(name: string, fifo: boolean): string {
  return fifo ? `${name}.fifo` : name;
}

/** The key of a topic's own queue in `COPILOT_TOPIC_QUEUE_URIS`: service `pub`, topic `ec-order`, FIFO → `pubEcorderfifoEventsQueue`. */
export function topicQueueKey(service: string, topic: string, fifo: boolean): string {
  const name = logicalId(topicKey(topic, fifo));
  return `${logicalId(service)}${titleCase(name)}EventsQueue`;
}

/** Go's `cases.Title(English)` on one word: the first letter large, the others small. */
function titleCase(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase();
}

/** The variable that an addon output becomes: `FeedBucketName` → `FEED_BUCKET_NAME`, `UsersDDBTable` → `USERS_DDB_TABLE`. */
export function outputVariable(output: string): string {
  return output
    .replaceAll(/([a-z0-9]+)([A-Z])/g, "$1_$2")
    .replaceAll(/([A-Z0-9])([A-Z][a-z])/g, "$1_$2")
    .toUpperCase();
}

/** A workload, application or environment name: a letter first, then lower case letters, digits and single hyphens. */
export function isName(name: string): boolean {
  return /^[a-z][a-z0-9-]*$/.test(name) && !/--|-$/.test(name);
}
