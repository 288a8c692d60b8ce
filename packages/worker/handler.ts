import { Unprocessable } from "./errors.ts";
import type { Log } from "./log.ts";

/** What a handler gets besides the event. */
export type Context<Tx> = {
  /** The transaction that also holds the inbox row: what is written here happens once. */
  tx: Tx;
  log: Log;
  /** Aborts at the deadline (the queue's visibility time-out less 5 s). A handler that ignores it keeps its lane. */
  signal: AbortSignal;
  /** 1 for the first try of this receive. */
  attempt: number;
};

/** An event type, by its name, its newest version, and the function that proves and upcasts an envelope of it. */
export type Definition<Event> = {
  type: string;
  /** Envelopes with a higher version are parked: the publisher was deployed before this consumer. */
  version?: number;
  /** Throws when the envelope is not one of these; the message is parked then. */
  parse(envelope: unknown): Event;
};

/**
 * `group`: after a failure the later messages of the group wait behind the failed one (default).
 * `none`: messages stand alone (mails, notices), only the failed one is parked.
 */
export type Order = "group" | "none";

export type Handler<Tx> = {
  type: string;
  order: Order;
  /** Proves the envelope; throws Unprocessable. The result runs the handler. */
  prepare(envelope: { version: number }): (context: Context<Tx>) => Promise<void>;
};

/** `on` for one kind of transaction, so that handlers need not name it. */
export type On<Tx> = <Event>(
  definition: Definition<Event>,
  handler: (event: Event, context: Context<Tx>) => Promise<void>,
  options?: { order?: Order },
) => Handler<Tx>;

/**
 * Handles one event type: returning means done, throwing means again later, and the class of the error says how
 * (Unprocessable, RetryAfter, anything else).
 *
 * @example
 * export const sendReceipt = on(saleCompleted, async (sale, { tx, log }: Context<Tx>) => { … }, { order: "none" })
 */
export function on<Event, Tx>(
  definition: Definition<Event>,
  handler: (event: Event, context: Context<Tx>) => Promise<void>,
  { order = "group" }: { order?: Order } = {},
): Handler<Tx> {
  return {
    type: definition.type,
    order,
    prepare(envelope) {
      if (definition.version !== undefined && envelope.version > definition.version) {
        throw new Unprocessable(
          `${definition.type} version ${envelope.version} is newer than version ${definition.version}, which this ` +
            "consumer knows. Deploy the consumer, then replay.",
        );
      }
      let event: Event;
      try {
        event = definition.parse(envelope);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Unprocessable(`Not a valid ${definition.type} version ${envelope.version}: ${why}`, {
          cause: error,
        });
      }
      return (context) => handler(event, context);
    },
  };
}
