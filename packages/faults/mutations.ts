/** A design that loses, doubles or misorders, as a change of the code; and the tests of which at least one must notice. */
export type Mutation = {
  /** Short name, for the command line. */
  name: string;
  /** What the code would do then. */
  design: string;
  edits: Edit[];
  tests: Suspect[];
};

/** `find` occurs exactly once in the file. */
export type Edit = { file: string; find: string; replace: string };
/** A test file, seen from `packages/`, and the beginning of a title in it. */
export type Suspect = { file: string; title: string };

const outbox = (title: string): Suspect => ({ file: "outbox/relay.test.ts", title });
const worker = (title: string): Suspect => ({ file: "worker/work.test.ts", title });
const relayFault = (n: number): Suspect => ({ file: "faults/relay.test.ts", title: `fault ${n}:` });
const databaseFault = (n: number): Suspect => ({ file: "faults/database.test.ts", title: `fault ${n}:` });
const clock = (title: string): Suspect => ({ file: "../workers/scheduled/clock.test.ts", title });
const consumerFault = (n: number): Suspect => ({ file: "faults/consumer.test.ts", title: `fault ${n}:` });

export const mutations: Mutation[] = [
  {
    name: "cursor",
    design: "the relay reads only ids above the highest one it has seen",
    edits: [
      {
        file: "outbox/fetch.ts",
        find: "    return rows;\n  }\n}",
        replace: `    const fresh = rows.filter(({ id }) => Number(id) > this.#seen);
    for (const { id } of rows) this.#seen = Math.max(this.#seen, Number(id));
    return fresh;
  }
  #seen = 0;
}`,
      },
    ],
    tests: [outbox("writers that commit late")],
  },
  {
    name: "horizon",
    design: "the relay reads only rows older than every open transaction",
    edits: [
      {
        file: "outbox/fetch.ts",
        find: "order by outbox.id limit 10",
        replace:
          "and outbox.xmin::text::bigint < pg_snapshot_xmin(pg_current_snapshot())::text::bigint order by outbox.id limit 10",
      },
    ],
    tests: [outbox("a writer that holds its transaction open")],
  },
  {
    name: "mark",
    design: "the relay reads above a mark, and below it only in a sweep every 300 ms",
    edits: [
      {
        file: "outbox/fetch.ts",
        find: "    return rows;\n  }\n}",
        replace: `    const sweep = performance.now() - this.#sweptAt > 300;
    if (sweep) this.#sweptAt = performance.now();
    const fresh = rows.filter(({ id }) => sweep || Number(id) > this.#mark);
    for (const { id } of fresh) this.#mark = Math.max(this.#mark, Number(id));
    return fresh;
  }
  #mark = 0;
  #sweptAt = 0;
}`,
      },
    ],
    tests: [outbox("writers that commit late")],
  },
  {
    name: "skip-locked",
    design: "relays share rows by SKIP LOCKED, no shard has an owner",
    edits: [
      {
        file: "outbox/session.ts",
        find: "where pg_try_advisory_lock($3, shard) limit $2",
        replace: "where $3::int is not null limit $2",
      },
      {
        file: "outbox/fetch.ts",
        find: "order by outbox.id limit 10",
        replace: "order by outbox.id limit 10 for update skip locked",
      },
    ],
    tests: [outbox("two relays share the shards"), relayFault(8)],
  },
  {
    name: "no-session-timeout",
    design: "a frozen relay keeps its shards",
    edits: [
      {
        file: "outbox/session.ts",
        find: "set idle_session_timeout = ${options.timeoutMs}",
        replace: "set idle_session_timeout = 0",
      },
    ],
    tests: [{ file: "outbox/crash.test.ts", title: "fault 2:" }],
  },
  {
    name: "no-proof",
    design: "the relay does not ask whether its shards are still its own before it calls",
    edits: [
      {
        file: "outbox/session.ts",
        find: "    if (this.#silentMs() <= FRESH_MS) return;\n    do {",
        replace: "    if (FRESH_MS > 0) return;\n    do {",
      },
    ],
    tests: [{ file: "outbox/crash.test.ts", title: "fault 2: a relay that is cut off" }],
  },
  {
    name: "filled-batch",
    design: "a call holds several events of a group",
    edits: [
      {
        file: "outbox/call.ts",
        find: "    closed.add(row.groupId);",
        replace: "    if (!fits) closed.add(row.groupId);",
      },
    ],
    tests: [relayFault(5), { file: "outbox/call.test.ts", title: "a call holds one entry" }],
  },
  {
    name: "delete-first",
    design: "rows are deleted when they are read, not when the topic has them",
    edits: [
      {
        file: "outbox/relay.ts",
        find: "    this.#hand.add(rows);",
        replace: "    this.#hand.add(rows);\n    this.#acknowledged.push(...rows.map(({ id }) => id));",
      },
    ],
    tests: [
      { file: "outbox/crash.test.ts", title: "fault 1:" },
      outbox("stop lets the calls in flight finish"),
    ],
  },
  {
    name: "unfair",
    design: "a tenant gets as many rows of a fetch as it has",
    edits: [
      {
        file: "outbox/fetch.ts",
        find: "order by outbox.id limit 10",
        replace: "order by outbox.id limit 500",
      },
    ],
    tests: [outbox("a tenant with a large backlog")],
  },
  {
    name: "blocked-overtaken",
    design: "a group goes on behind an event that was refused for good",
    edits: [
      {
        file: "outbox/fetch.ts",
        find: " and group_id <> all(blocked.groups)",
        replace: " and blocked_at is null",
      },
    ],
    tests: [outbox("an event that the topic refuses for good")],
  },
  {
    name: "notify-inside",
    design: "the writing transaction notifies the relay itself",
    edits: [
      {
        file: "outbox/insert.ts",
        find: "    column((row) => row.causationId ?? null),\n  ]);",
        replace:
          '    column((row) => row.causationId ?? null),\n  ]);\n  await client.query("notify outbox", []);',
      },
    ],
    tests: [outbox("writing notifies nobody")],
  },
  {
    name: "fresh-deduplication",
    design: "each try of an event has a deduplication id of its own",
    edits: [
      {
        file: "outbox/sns.ts",
        find: "MessageDeduplicationId: event.eventId",
        replace: "MessageDeduplicationId: crypto.randomUUID()",
      },
    ],
    tests: [relayFault(4)],
  },
  {
    name: "silence-is-success",
    design: "a call without an answer counts as published",
    edits: [
      {
        file: "outbox/sns.ts",
        find: "      throw error;\n    }\n  };",
        replace: "      return events.map((): PublishAnswer => ({ ok: true }));\n    }\n  };",
      },
    ],
    tests: [{ file: "outbox/sns.test.ts", title: "a call without an answer" }, relayFault(3)],
  },
  {
    name: "partial-is-success",
    design: "a call that was answered counts as published, whatever the answer says of an entry",
    edits: [
      {
        file: "outbox/sns.ts",
        find: "if (accepted.has(String(n))) return",
        replace: "if (accepted.has(String(n)) || answer.Failed) return",
      },
    ],
    tests: [{ file: "outbox/sns.test.ts", title: "each entry gets its own answer" }, relayFault(5)],
  },
  {
    name: "hand-over-in-flight",
    design: "a shard changes hands while calls of it are in flight",
    edits: [
      {
        file: "outbox/relay.ts",
        find: "const ready = [...this.#leaving].filter((shard) => !this.#hand.holds(shard));",
        replace: "const ready = [...this.#leaving];",
      },
    ],
    tests: [outbox("two relays share the shards"), relayFault(8)],
  },
  {
    name: "delete-before-handling",
    design: "messages are deleted when they are received",
    edits: [
      {
        file: "worker/work.ts",
        find: "      const verdict =\n        this.#stopped",
        replace:
          "      this.#queue.delete(message);\n      this.#queue.deleteNow();\n      const verdict =\n        this.#stopped",
      },
    ],
    tests: [consumerFault(10)],
  },
  {
    name: "no-heartbeat",
    design: "nobody keeps messages in flight",
    edits: [{ file: "worker/lane.ts", find: "void this.#beat(), everyMs", replace: "undefined, everyMs" }],
    tests: [worker("RetryAfter holds its lane")],
  },
  {
    name: "heartbeat-stops",
    design: "nobody keeps messages in flight while their group waits for its next try",
    edits: [
      {
        file: "worker/lane.ts",
        find: "  async #beat(): Promise<void> {\n",
        replace: "  async #beat(): Promise<void> {\n    if (this.held) return;\n",
      },
    ],
    tests: [worker("RetryAfter holds its lane"), consumerFault(20)],
  },
  {
    name: "message-id",
    design: "the inbox goes by SQS's message id",
    edits: [
      {
        file: "worker/work.ts",
        find: "                envelope,\n                groupId: message.groupId,",
        replace:
          "                envelope: { ...envelope, id: message.messageId },\n                groupId: message.groupId,",
      },
    ],
    tests: [worker("an event that is delivered twice"), consumerFault(18)],
  },
  {
    name: "inbox-apart",
    design: "the inbox row is committed before the effect",
    edits: [
      {
        file: "worker/once.ts",
        find: "      const tx = await message.transaction(client, envelope);",
        replace:
          '      await client.query("commit");\n      await client.query("begin");\n      const tx = await message.transaction(client, envelope);',
      },
    ],
    tests: [worker("what fails now and then"), consumerFault(10)],
  },
  {
    name: "inbox-of-all",
    design: "the inbox goes by the event alone, whoever consumes it",
    edits: [
      {
        file: "worker/once.ts",
        find: "const values = [escapeLiteral(eventId), consumer, escapeLiteral(key)]",
        replace: "const values = [escapeLiteral(eventId), consumer && 1, escapeLiteral(key)]",
      },
    ],
    tests: [relayFault(24)],
  },
  {
    name: "silent-rollback",
    design: "a commit that PostgreSQL answers with a rollback is a success",
    edits: [
      {
        file: "worker/once.ts",
        find: '      await commit(client);\n      return "done";',
        replace: '      await client.query("commit");\n      return "done";',
      },
    ],
    tests: [worker("a failed statement that the handler swallowed")],
  },
  {
    name: "group-goes-on",
    design:
      "after a failure the next message of the group is handled, as sqs-consumer does with a batch of ten",
    edits: [
      {
        file: "worker/work.ts",
        find: "const RETRY_MS = [200, 1000, 5000];",
        replace: "const RETRY_MS: number[] = [];",
      },
      {
        file: "worker/work.ts",
        find: '      if (verdict === "delete") {\n        lane.remove(message);\n        this.#queue.delete(message);\n        continue;',
        replace:
          '      if (typeof verdict === "object") {\n        lane.remove(message);\n        await this.#queue.hide([message], 0);\n        continue;\n      }\n' +
          '      if (verdict === "delete") {\n        lane.remove(message);\n        this.#queue.delete(message);\n        continue;',
      },
    ],
    tests: [consumerFault(12), worker("what fails now and then")],
  },
  {
    name: "no-slow-start",
    design: "ten messages are asked for, always",
    edits: [
      {
        file: "worker/queue.ts",
        find: "MaxNumberOfMessages: size,",
        replace: "MaxNumberOfMessages: size && 10,",
      },
    ],
    tests: [consumerFault(13)],
  },
  {
    name: "sqs-dead-letters",
    design: "the last receive is left to SQS",
    edits: [
      {
        file: "worker/queue.ts",
        find: "this.maxReceives = Number(redrive.maxReceiveCount);",
        replace: "this.maxReceives = Infinity;",
      },
    ],
    tests: [worker("a message that has to be given back at its last receive"), consumerFault(12)],
  },
  {
    name: "starts-unrecorded",
    design: "nobody writes down which message was running when the process ended",
    edits: [
      { file: "worker/work.ts", find: "...(again ? { recordStart: message.receives } : {}),", replace: "" },
    ],
    tests: [consumerFault(13)],
  },
  {
    name: "beside-a-suspect",
    design: "messages are received while one runs that may end the process",
    edits: [{ file: "worker/work.ts", find: " || this.#suspects.size > 0) {", replace: ") {" }],
    tests: [{ file: "faults/suspect.test.ts", title: "nothing is received" }],
  },
  {
    name: "receive-without-database",
    design: "messages are received while the database is down",
    edits: [
      {
        file: "worker/work.ts",
        find: "if (this.#breaker.open || !this.#hasRoom()",
        replace: "if (!this.#hasRoom()",
      },
    ],
    tests: [databaseFault(16)],
  },
  {
    name: "breaker-by-time",
    design: "receiving goes on after a pause, whether the database answers or not",
    edits: [
      {
        file: "worker/breaker.ts",
        find: "if (this.#stopped || !(await this.#slots.run(() => this.#writable()))) continue;",
        replace: "if (this.#stopped) continue;",
      },
    ],
    tests: [databaseFault(16)],
  },
  {
    name: "breaker-reads",
    design: "a database that can be read counts as usable",
    edits: [
      {
        file: "worker/breaker.ts",
        find: "current_setting('transaction_read_only')::boolean as no",
        replace: "false as no",
      },
    ],
    tests: [databaseFault(15)],
  },
  {
    name: "waiting-counts",
    design: "being asked to wait counts as a failure",
    edits: [
      {
        file: "worker/failure.ts",
        find: "if (error instanceof RetryAfter)",
        replace: "if (error instanceof RetryAfter && error.seconds < 0)",
      },
    ],
    tests: [worker("RetryAfter holds its lane"), consumerFault(20)],
  },
  {
    name: "parked-overtaken",
    design: "messages of a parked group are handled as they come",
    edits: [
      {
        file: "worker/once.ts",
        find: "      if (parked) {",
        replace: "      if (parked && recordStart === -1) {",
      },
    ],
    tests: [worker("a poisoned head is parked"), consumerFault(12)],
  },
  {
    name: "replay-unlocked",
    design: "a replay does not lock its group",
    edits: [
      {
        file: "worker/replay.ts",
        find: '"select from parked_group where consumer = $1 and group_id = $2 for update"',
        replace: '"select from parked_group where consumer = $1 and group_id = $2"',
      },
    ],
    tests: [{ file: "faults/replay.test.ts", title: "a message that comes while" }],
  },
  {
    name: "own-clock",
    design: "what is due is due by the clock of the process",
    edits: [
      {
        file: "worker/replays.ts",
        find: "replay_at <= clock_timestamp() order by",
        replace: "replay_at <= to_timestamp(${Date.now() / 1000}) order by",
      },
    ],
    tests: [databaseFault(17)],
  },
  {
    name: "due-unlocked",
    design: "due rows are read, and marked without a lock",
    edits: [
      {
        file: "database/schedules.ts",
        find: "    .limit(limit)\n    .forUpdate()\n    .skipLocked();",
        replace: "    .limit(limit);",
      },
    ],
    tests: [clock("four tasks that claim at once")],
  },
  {
    name: "due-apart",
    design: "due rows are marked in one transaction, and their events written in the next",
    edits: [
      {
        file: "../workers/scheduled/clock.ts",
        find: "    const rows = await claimDue(tx, limit);",
        replace: "    const rows = await inCompany(database, companyId, (first) => claimDue(first, limit));",
      },
    ],
    tests: [clock("a row whose event cannot be written")],
  },
  {
    name: "woken-too-early",
    design: "the relay is woken before the commit",
    edits: [
      {
        file: "worker/work.ts",
        find: "        const handleIt = async () =>\n",
        replace: "        this.#options.afterCommit?.();\n        const handleIt = async () =>\n",
      },
    ],
    tests: [worker("afterCommit is called when")],
  },
  {
    name: "given-to-ourselves",
    design: "a worker that stops gives messages back to its own open receive",
    edits: [{ file: "worker/work.ts", find: "      if (this.#stopped) await this.#running;\n", replace: "" }],
    tests: [consumerFault(20)],
  },
  {
    name: "nothing-given-back",
    design: "a worker that stops lets the time-outs of its messages end",
    edits: [
      {
        file: "worker/work.ts",
        find: '      if (verdict === "release") {\n        await this.#queue.hide(rest, 0);',
        replace: '      if (verdict === "release") {\n        await this.#queue.hide([], 0);',
      },
    ],
    tests: [worker("stop finishes the running handler"), consumerFault(19)],
  },
  {
    name: "envelope",
    design: "SNS's envelope is taken for the event",
    edits: [{ file: "worker/queue.ts", find: "body: unwrap(Body),", replace: "body: Body || unwrap(Body)," }],
    tests: [worker("%s is understood"), relayFault(24)],
  },
];
