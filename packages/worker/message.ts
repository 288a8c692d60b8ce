import { Unprocessable } from "./errors.ts";

/** The least that every event has. */
export type Envelope = { id: string; type: string; version: number; [field: string]: unknown };

/** A message in hand. */
export type Incoming = {
  messageId: string;
  receiptHandle: string;
  /** FIFO group; the message's own id on a standard queue. */
  groupId: string;
  /** How often SQS has handed it out, this time included. */
  receives: number;
  /** The event's text, without the SNS envelope. */
  body: string;
};

/** The event's text: the `Message` of an SNS notification, or the body as it is with raw delivery. */
export function unwrap(body: string): string {
  try {
    const outer: unknown = JSON.parse(body);
    const notification =
      typeof outer === "object" && outer !== null && "TopicArn" in outer && "Message" in outer
        ? (outer as { Type?: unknown; Message: unknown })
        : undefined;
    if (notification?.Type === "Notification" && typeof notification.Message === "string")
      return notification.Message;
  } catch {
    // Not JSON: envelopeOf says so, and parks it.
  }
  return body;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Reads the envelope's own fields; throws Unprocessable when it has none. */
export function envelopeOf(body: string): Envelope {
  let envelope: unknown;
  try {
    envelope = JSON.parse(body);
  } catch (error) {
    throw new Unprocessable("The message is not JSON.", { cause: error });
  }
  const { id, type, version } = (envelope ?? {}) as Partial<Envelope>;
  if (typeof id !== "string" || !UUID.test(id))
    throw new Unprocessable("The message has no event id (a uuid in `id`).");
  if (typeof type !== "string") throw new Unprocessable("The message has no event type (`type`).");
  if (typeof version !== "number") throw new Unprocessable("The message has no event version (`version`).");
  return envelope as Envelope;
}
