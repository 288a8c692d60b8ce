/** What leaves: one row of the outbox. */
export type OutgoingEvent = {
  groupId: string;
  eventId: string;
  type: string;
  payload: string;
  traceparent: string | null;
};

/** One answer per event, in the order of the events. */
export type PublishAnswer =
  | { ok: true }
  /** `senderFault`: sending the same bytes again cannot help. */
  | { ok: false; senderFault: boolean; code: string; message: string };

/**
 * Sends at most 10 events, each of another group, together at most 250 KiB, to one topic, in one call.
 *
 * Rejects when the whole call failed; with TopicUnavailable when the topic itself is missing or forbidden. It must not
 * retry by itself, and must give up after some seconds: the relay decides when to try again.
 */
export type Publish = (topic: string, events: OutgoingEvent[]) => Promise<PublishAnswer[]>;

/** The topic does not exist, is not configured or may not be published to. No event is to blame; all of them wait. */
export class TopicUnavailable extends Error {
  override name = "TopicUnavailable";
}
