import type { Row } from "./fetch.ts";

export const MOST_ENTRIES = 10;
/** PublishBatch takes 256 KiB together; what attributes and ids weigh is within the difference. */
const MOST_BYTES = 250 * 1024;

/**
 * Takes the next call out of `rows` (in order of id): one topic, at most ten entries, at most 250 KiB, and at most one
 * entry of a group. One, because entries fail one by one: had two of a group been sent and the first failed, the second
 * would have overtaken it.
 *
 * @param alone groups that failed together with others: they are sent by themselves, so that one bad event cannot take
 *   others with it for ever.
 * @param flying groups that are in another call now: their next row has to wait for its answer.
 */
export function nextCall(
  rows: Row[],
  alone: (groupId: string) => boolean,
  flying: ReadonlySet<string> = new Set(),
): { call: Row[]; rest: Row[] } {
  const call: Row[] = [];
  const rest: Row[] = [];
  // Groups that have an entry in this or another call, or an earlier row that was passed over.
  const closed = new Set(flying);
  let bytes = 0;
  for (const row of rows) {
    const [first] = call;
    const fits =
      !closed.has(row.groupId) &&
      call.length < MOST_ENTRIES &&
      (!first ||
        (first.topic === row.topic &&
          bytes + row.bytes <= MOST_BYTES &&
          !alone(first.groupId) &&
          !alone(row.groupId)));
    closed.add(row.groupId);
    if (fits) {
      call.push(row);
      bytes += row.bytes;
    } else {
      rest.push(row);
    }
  }
  return { call, rest };
}
