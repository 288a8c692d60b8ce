import { nextCall } from "./call.ts";
import type { Row } from "./fetch.ts";

/**
 * The rows that were fetched and have no answer yet. Calls are made up from all of them, so that few groups still fill a
 * call; a group is in one call at a time, and a shard is fetched again only when nothing of it is left here. Both keep
 * the order of a group.
 */
export class Hand {
  #waiting: Row[] = [];
  /** Groups that are in a call now. */
  readonly #flying = new Set<string>();
  /** Rows per shard, waiting and flying. */
  readonly #shards = new Map<number, number>();
  #heldAtMost = 0;
  /** Of payloads, waiting and flying. */
  bytes = 0;

  /** Takes rows of shards that hold nothing here, in the order of their ids. */
  add(rows: Row[]): void {
    this.#waiting.push(...rows);
    for (const { shard, bytes } of rows) {
      this.#shards.set(shard, (this.#shards.get(shard) ?? 0) + 1);
      this.bytes += bytes;
    }
    this.#heldAtMost = this.#shards.size;
  }

  /**
   * The rows of the next call, at most one of a group; none when whatever waits is behind a call in flight, or when they
   * are fewer than `least`.
   */
  next(alone: (groupId: string) => boolean, least = 1): Row[] {
    if (this.#waiting.length < least) return [];
    const { call, rest } = nextCall(this.#waiting, alone, this.#flying);
    if (call.length < least) return [];
    this.#waiting = rest;
    for (const { groupId } of call) this.#flying.add(groupId);
    return call;
  }

  /** The call is over, whatever its answer was. */
  landed(call: Row[]): void {
    for (const row of call) {
      this.#flying.delete(row.groupId);
      this.#forget(row);
    }
  }

  /** Lets go of rows that are not in a call; a later fetch brings them again. */
  drop(unwanted: (row: Row) => boolean): void {
    const dropped: Row[] = [];
    const kept: Row[] = [];
    for (const row of this.#waiting) (unwanted(row) ? dropped : kept).push(row);
    this.#waiting = kept;
    for (const row of dropped) this.#forget(row);
  }

  holds(shard: number): boolean {
    return this.#shards.has(shard);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** A quarter of the shards that were fetched have run dry: time to fetch, so that calls stay full. */
  get low(): boolean {
    return this.#shards.size * 4 <= this.#heldAtMost * 3;
  }

  #forget({ shard, bytes }: Row): void {
    this.bytes -= bytes;
    const left = (this.#shards.get(shard) ?? 0) - 1;
    if (left > 0) this.#shards.set(shard, left);
    else this.#shards.delete(shard);
  }
}
