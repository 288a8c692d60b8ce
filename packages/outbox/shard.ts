/** How many shards the outbox has. Stored rows carry their shard, so this never changes. */
export const SHARDS = 64;

const utf8 = new TextEncoder();

/**
 * The shard of a group, 0–63: FNV-1a (32 bit) over its UTF-8 bytes, modulo 64.
 *
 * Written out here because PostgreSQL's hashtext() may change between versions: a row must find the same shard for ever.
 */
export function shardOf(groupId: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8.encode(groupId)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % SHARDS;
}
