import { contextOf, inSpan } from "@noren/service";
import { SpanKind, trace } from "@opentelemetry/api";
import type { Publish } from "outbox";

/** The same publisher, each call in a span that is linked to the traces of the events it carries. */
export function tracedPublish(publish: Publish): Publish {
  return (topic, events) =>
    inSpan(
      `send ${topic}`,
      async (span) => {
        span.addLinks(
          events.flatMap(({ traceparent }) => {
            const context = traceparent && trace.getSpanContext(contextOf(traceparent));
            return context ? [{ context }] : [];
          }),
        );
        const answers = await publish(topic, events);
        span.setAttribute("messaging.batch.failed_count", answers.filter(({ ok }) => !ok).length);
        return answers;
      },
      {
        kind: SpanKind.PRODUCER,
        attributes: { "messaging.destination.name": topic, "messaging.batch.message_count": events.length },
      },
    );
}
