import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { EmulatedQueue, Message, Persistence } from "./emulator.ts";

/**
 * Keeps the messages of the emulated queues over a restart and over a crash of the runner, written through on every
 * change. fauxqs brings a persistence of its own, which is not used: in 2.4.1 returning a message with a visibility
 * timeout of 0 violates its own table's NOT NULL and loses the message, and topology would be kept with it, so that
 * a changed manifest had no effect. Here only messages are kept; topics and queues are made afresh at each start.
 */
export interface QueueStore extends Persistence {
  /** Puts what was kept back into a queue that has just been created. */
  restore(queue: EmulatedQueue): void;
  /** Calls back once, at the moment when something has been kept and nobody has been answered yet. */
  onceKept(callback: () => void): void;
  /** What a call has written so far is kept; nothing after it is. */
  close(): void;
}

interface Row {
  id: string;
  message: string;
  receipt_handle: string | null;
  visible_at: number | null;
}

/**
 * Opens (creates) the store in `file`. What is written survives the end of the process, however it ends. Everything that
 * one call changes is kept together, before it is answered: neither half a fan-out nor a message that has left its queue
 * and not reached its dead-letter queue can be left by a crash.
 */
export function openQueueStore(file: string): QueueStore {
  mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file);
  // NORMAL: no flush to the disk for each message. A crash of the process loses nothing, a power cut the last ones.
  db.exec(`
    pragma journal_mode = wal;
    pragma synchronous = normal;
    create table if not exists queue (name text primary key, sequence integer not null);
    create table if not exists message (
      position integer primary key autoincrement,
      id text not null unique,
      queue text not null,
      message text not null,
      receipt_handle text,
      visible_at integer
    );
    create index if not exists message_queue on message (queue, position);
  `);
  const insert = db.prepare("insert or replace into message (id, queue, message) values (?, ?, ?)");
  const remove = db.prepare("delete from message where id = ?");
  const removeAll = db.prepare("delete from message where queue = ?");
  const select = db.prepare("select * from message where queue = ? order by position");
  const receive = db.prepare(
    `update message set receipt_handle = ?, visible_at = ?,
       message = json_set(message, '$.approximateReceiveCount', ?, '$.approximateFirstReceiveTimestamp', ?)
     where id = ?`,
  );
  const release = db.prepare("update message set receipt_handle = null, visible_at = null where id = ?");
  const saveSequence = db.prepare(
    "insert into queue (name, sequence) values (?, ?) on conflict (name) do update set sequence = excluded.sequence",
  );
  const readSequence = db.prepare("select sequence from queue where name = ?");
  let open = true;
  let writing = false;
  let kept: (() => void) | undefined;
  const write = (run: () => void) => {
    if (!open) return;
    if (!writing) {
      db.exec("begin");
      writing = true;
      // A call changes what it changes in one go; its answer waits for hooks, so it comes later than this.
      queueMicrotask(keep);
    }
    run();
  };
  const keep = () => {
    if (!writing) return;
    writing = false;
    db.exec("commit");
    const callback = kept;
    kept = undefined;
    callback?.();
  };

  return {
    insertQueue() {},
    deleteQueue() {},
    updateQueueAttributes() {},
    updateQueueSequenceCounter: (name, counter) => write(() => saveSequence.run(name, counter)),
    insertMessage: (queue, message) =>
      write(() => insert.run(message.messageId, queue, JSON.stringify(message))),
    deleteMessage: (id) => write(() => remove.run(id)),
    updateMessageInflight: (id, handle, deadline, count, first) =>
      write(() => receive.run(handle, deadline, count, first ?? null, id)),
    updateMessageReady: (id) => write(() => release.run(id)),
    deleteQueueMessages: (queue) => write(() => removeAll.run(queue)),
    deleteAllMessages: () => write(() => db.exec("delete from message")),
    restore(queue) {
      const kept = readSequence.get(queue.name) as { sequence: number } | undefined;
      if (kept) queue.sequenceCounter = kept.sequence;
      for (const row of select.all(queue.name) as unknown as Row[]) {
        const message = JSON.parse(row.message) as Message;
        if (row.receipt_handle !== null && row.visible_at !== null && row.visible_at > Date.now()) {
          holdInFlight(queue, message, row.receipt_handle, row.visible_at);
        } else {
          putReady(queue, message);
        }
      }
    },
    onceKept(callback) {
      kept = callback;
    },
    close() {
      if (!open) return;
      open = false;
      kept = undefined;
      keep();
      db.close();
    },
  };
}

function holdInFlight(
  queue: EmulatedQueue,
  message: Message,
  receiptHandle: string,
  visibilityDeadline: number,
) {
  queue.inflightMessages.set(receiptHandle, { message, receiptHandle, visibilityDeadline });
  const group = message.messageGroupId;
  if (queue.isFifo() && group !== undefined) {
    queue.fifoLockedGroups.set(group, (queue.fifoLockedGroups.get(group) ?? 0) + 1);
  }
}

function putReady(queue: EmulatedQueue, message: Message) {
  const delayed = message.delayUntil !== undefined && message.delayUntil > Date.now();
  if (queue.isFifo()) {
    const groups = delayed ? queue.fifoDelayed : queue.fifoMessages;
    const group = message.messageGroupId ?? "__default";
    groups.set(group, [...(groups.get(group) ?? []), message]);
  } else {
    (delayed ? queue.delayedMessages : queue.messages).push(message);
  }
}
