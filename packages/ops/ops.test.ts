import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openShop } from "@noren/database/fixture";
import { insert } from "outbox";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Unprocessable } from "worker";
import { bench } from "./testing.ts";
import type { Bench, ItemRegistered } from "./testing.ts";

let lab: Bench;
const folder = mkdtempSync(join(tmpdir(), "ops-test-"));
beforeAll(async () => {
  lab = await bench();
});
beforeEach(() => lab.clear());
afterEach(() => lab.stopWorkers());
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await lab.close();
});

const until = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });
const rows = async <Row extends object>(text: string, values: unknown[] = []) =>
  (await lab.superuser.query<Row>(text, values)).rows;
const waits = () =>
  rows<{ name: string }>("select body::json -> 'data' ->> 'name' as name from parked order by n");
const log = (subject: string) =>
  rows(
    "select login, actor, approver, action, workload, reason from operator_log where subject = $1 order by id",
    [subject],
  );
const audit = (subject: string) =>
  rows(
    `select company_id, actor_type, actor_id, action, subject_type, detail ->> 'reason' as reason from audit_log
     where subject_id = $1`,
    [subject],
  );

/** A worker that parks three messages of a group because it refuses `bad`; what it handled, and what it was given. */
async function parkThree(...names: string[]) {
  const group = randomUUID();
  const handled: string[] = [];
  const events: ItemRegistered[] = [];
  await lab.start(({ data: { name } }) => {
    if (name === "bad") throw new Unprocessable("no such category\nand more");
    handled.push(name);
  });
  for (const name of names.length > 0 ? names : ["bad", "second", "third"]) {
    const event = lab.event(group, name);
    events.push(event);
    await lab.send(group, event);
  }
  await until(waits).toHaveLength(events.length);
  return { group, handled, events };
}

describe("a poisoned group", () => {
  test("is listed, looked at, mended and replayed in order by the running worker", async () => {
    const { group, handled, events } = await parkThree();
    const listed = await lab.ops("parked", "staging");
    expect(listed.out.split("\n")).toEqual([
      expect.stringMatching(/^workload +group +messages +type +attempts +parked +replay +error$/),
      expect.stringMatching(
        new RegExp(
          `^worker-item +${group} +3 +item.registered +1 +\\d+s +- +Unprocessable: no such category$`,
        ),
      ),
    ]);
    const seen = await lab.ops("parked", "look", "staging", "worker-item", group, "--json");
    const messages = JSON.parse(seen.out) as { n: string; eventId: string }[];
    expect(messages.map(({ eventId }) => eventId)).toEqual(events.map(({ id }) => id));
    const n = messages[0]!.n;
    const one = await lab.ops("parked", "look", "staging", "worker-item", group, n);
    expect(JSON.parse(one.out)).toEqual(events[0]);
    expect(one.notes).toContain("and more");

    const file = join(folder, "mended.json");
    writeFileSync(file, JSON.stringify({ ...events[0], data: { ...events[0]!.data, name: "mended" } }));
    const place = ["staging", "worker-item", group];
    const edited = await lab.ops("parked", "edit", ...place, n, "--file", file, "--reason", "typing error");
    expect(edited).toMatchObject({ code: 0, notes: `Next: pnpm ops parked replay ${place.join(" ")}` });

    const replayed = await lab.ops("parked", "replay", ...place);
    expect(replayed).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`${group} +3 +0 +-$`)) });
    expect(handled).toEqual(["mended", "second", "third"]);
    expect(await log(events[0]!.id)).toEqual([
      {
        login: "noren_operator",
        actor: "arn:aws:iam::000000000000:user/suzuki",
        approver: null,
        action: "edit",
        workload: "worker-item",
        reason: "typing error",
      },
    ]);
    expect(await audit(events[0]!.id)).toEqual([
      {
        company_id: lab.shop.companyId,
        actor_type: "system",
        actor_id: "arn:aws:iam::000000000000:user/suzuki",
        action: "event.edited",
        subject_type: "event",
        reason: "typing error",
      },
    ]);
    expect(await log(group)).toMatchObject([{ action: "replay" }]);
  });

  test("that is replayed with its fault stays parked, and the exit code and the error say so", async () => {
    const { group, handled } = await parkThree("bad", "second");
    const replayed = await lab.ops("parked", "replay", "staging", "worker-item", "--all");
    expect(replayed).toMatchObject({
      code: 1,
      out: expect.stringMatching(new RegExp(`${group} +2 +2 +Unprocessable: no such category$`)),
    });
    expect(handled).toEqual([]);
    expect(await waits()).toHaveLength(2);
  });

  test("is not touched by a dry run", async () => {
    const { group, handled, events } = await parkThree();
    const file = join(folder, "dry.json");
    writeFileSync(file, JSON.stringify({ ...events[0], data: { ...events[0]!.data, name: "mended" } }));
    const everything = () =>
      rows("select g.*, p.* from parked_group g join parked p using (consumer, group_id) order by p.n");
    const before = await everything();
    const place = ["staging", "worker-item", group];
    const n = String((before[0] as { n: unknown }).n);
    const why = ["--reason", "a test", "--dry-run"];
    for (const command of [
      ["edit", ...place, n, "--file", file, ...why],
      ["replay", ...place, "--dry-run"],
      ["discard", ...place, n, ...why],
      ["discard", ...place, "--all", ...why],
    ]) {
      expect(await lab.ops("parked", ...command)).toMatchObject({
        code: 0,
        out: expect.stringMatching(/\S/),
        notes: expect.stringContaining("Dry run: nothing was changed."),
      });
    }
    expect(await everything()).toEqual(before);
    expect(handled).toEqual([]);
    for (const subject of [group, events[0]!.id]) {
      expect([await log(subject), await audit(subject)]).toEqual([[], []]);
    }
  });

  test("loses one message by a discard with a reason, which the company's audit log and ours remember", async () => {
    const { group, handled, events } = await parkThree();
    const place = ["staging", "worker-item", group];
    const [{ n }] = (await rows<{ n: string }>("select n::text as n from parked order by parked.n")) as [
      { n: string },
    ];
    expect(await lab.ops("parked", "discard", ...place, n)).toMatchObject({
      code: 2,
      notes: expect.stringMatching(/--reason/),
    });
    const discarded = await lab.ops("parked", "discard", ...place, n, "--reason", "the category is gone");
    expect(discarded).toMatchObject({ code: 0, notes: expect.stringContaining("2 messages of the group") });
    expect(await waits()).toEqual([{ name: "second" }, { name: "third" }]);
    expect(await audit(events[0]!.id)).toMatchObject([
      { action: "event.discarded", reason: "the category is gone" },
    ]);
    const kept = await rows<{ detail: { body: string } }>(
      "select detail from operator_log where subject = $1",
      [events[0]!.id],
    );
    expect(JSON.parse(kept[0]!.detail.body)).toEqual(events[0]);
    await lab.ops("parked", "replay", ...place);
    expect(handled).toEqual(["second", "third"]);
  });

  test("is discarded where people live from it only with a second name", async () => {
    const { group } = await parkThree("bad");
    const command = [
      "parked",
      "discard",
      "production",
      "worker-item",
      group,
      "--all",
      "--reason",
      "it is wrong",
    ];
    expect(await lab.ops(...command)).toMatchObject({
      code: 2,
      notes: expect.stringContaining("second person"),
    });
    expect(await waits()).toHaveLength(1);
    expect(await lab.ops(...command, "--approved-by", "sato")).toMatchObject({ code: 0 });
    expect(await waits()).toEqual([]);
    // A group that is empty is not parked any more.
    expect(await rows("select from parked_group")).toEqual([]);
  });

  test("is not edited into another event, nor into what its schema refuses", async () => {
    const { group, events } = await parkThree();
    const [{ n }] = (await rows<{ n: string }>("select n::text as n from parked order by parked.n")) as [
      { n: string },
    ];
    const file = join(folder, "wrong.json");
    for (const [body, why] of [
      ["{", "in JSON at position 1"],
      [JSON.stringify({ ...events[0], version: 9 }), "No event item.registered of version 9"],
      [JSON.stringify(events[1]), `must stay ${events[0]!.id}`],
      [JSON.stringify({ ...events[0], data: { ...events[0]!.data, name: 7 } }), "it is no item.registered"],
    ] as const) {
      writeFileSync(file, body);
      const place = ["staging", "worker-item", group, n, "--file", file, "--reason", "x"];
      expect(await lab.ops("parked", "edit", ...place)).toMatchObject({
        code: 1,
        notes: expect.stringContaining(why),
      });
    }
    expect(await waits()).toEqual([{ name: "bad" }, { name: "second" }, { name: "third" }]);
  });

  test("is asked for and taken back while no worker runs", async () => {
    const { group } = await parkThree();
    await lab.stopWorkers();
    const asked = await lab.ops("parked", "replay", "staging", "worker-item", "--all", "--wait", "1");
    expect(asked).toMatchObject({ code: 1, notes: expect.stringContaining("Is worker-item running?") });
    expect((await lab.ops("parked", "staging", "worker-item")).out).toContain("asked");
    expect(await lab.ops("redrive", "staging", "worker-item", "--cancel")).toMatchObject({
      code: 0,
      out: `group\n${group}`,
    });
    expect(await rows("select from parked_group where replay_at is not null")).toEqual([]);
  });
});

test("an event that an edit gives to another company is in the audit log of both", async () => {
  const { group, events } = await parkThree("bad");
  const other = await openShop(lab.database);
  const file = join(folder, "moved.json");
  writeFileSync(file, JSON.stringify({ ...events[0], companyId: other.companyId }));
  const [{ n }] = (await rows<{ n: string }>("select n::text as n from parked")) as [{ n: string }];
  const place = ["staging", "worker-item", group, n, "--file", file, "--reason", "wrong shop"];
  expect(await lab.ops("parked", "edit", ...place)).toMatchObject({ code: 0 });
  const companies = (await audit(events[0]!.id)).map((row) => (row as { company_id: string }).company_id);
  expect(companies.toSorted()).toEqual([lab.shop.companyId, other.companyId].toSorted());
});

test("what names no company can be discarded too, and is remembered in our log alone", async () => {
  await lab.start(() => {});
  await lab.send(randomUUID(), "not json");
  await until(() => rows("select from parked")).toHaveLength(1);
  const [{ group }] = (await rows("select group_id as group from parked_group")) as [{ group: string }];
  const place = ["staging", "worker-item", group];
  expect(await lab.ops("parked", "discard", ...place, "--all", "--reason", "noise")).toMatchObject({
    code: 0,
  });
  expect(await log(group)).toMatchObject([{ action: "discard", reason: "noise" }]);
});

describe("dead letters", () => {
  afterEach(() => lab.drain(true));

  test("are shown and stay where they are, in order", async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const events = [lab.event(a, "a1"), lab.event(a, "a2"), lab.event(b, "b1")];
    for (const event of events) await lab.send(event.aggregate.id, event, true);
    for (let look = 0; look < 2; look++) {
      const peeked = await lab.ops("dlq", "peek", "staging", "worker-item", "--limit", "5");
      expect(peeked).toMatchObject({ code: 0, notes: expect.stringMatching(/of 3, and given back/) });
      expect(peeked.out).toMatch(new RegExp(`^${events[0]!.id} +item.registered +${a} +${look + 1} `, "m"));
      expect(peeked.out).toContain(lab.shop.companyId);
    }
    expect((await lab.ops("queues", "staging")).out).toMatch(/^worker-item +0 +0 +0 +0 +3 +- +5 +item$/m);
    const left = (await lab.drain(true)).map((body) => (JSON.parse(body) as { id: string }).id);
    expect(left.filter((id) => id !== events[2]!.id)).toEqual([events[0]!.id, events[1]!.id]);
    expect(left).toHaveLength(3);
  });

  test("that SNS could not deliver move into their parked groups too, and are told apart", async () => {
    const group = randomUUID();
    const event = lab.event(group, "lost");
    await lab.send(group, event, true);
    expect(await lab.ops("redrive", "staging", "worker-item", "--undelivered")).toMatchObject({ code: 0 });
    expect(await lab.ops("parked", "look", "staging", "worker-item", group)).toMatchObject({
      out: expect.stringContaining("SNS could not deliver it"),
    });
  });

  test("move into their parked groups, never back to the queue, and a dry run moves none", async () => {
    const group = randomUUID();
    const handled: string[] = [];
    const events = ["d1", "d2", "d3"].map((name) => lab.event(group, name));
    await lab.start(({ data: { name } }) => void handled.push(name));
    // Handled before: a dead letter of it has no work left.
    await lab.send(group, events[0]!);
    await until(() => handled).toEqual(["d1"]);
    for (const event of events) await lab.send(group, event, true);

    const dry = await lab.ops("redrive", "staging", "worker-item", "--rate", "10", "--dry-run");
    expect(dry).toMatchObject({ code: 0, notes: expect.stringContaining("3 dead letters in all") });
    expect(dry.out).toMatch(new RegExp(`^${events[0]!.id} .*handled before$`, "m"));
    expect(await rows("select from parked")).toEqual([]);
    expect(await log(events[0]!.id)).toEqual([]);

    const moved = await lab.ops("redrive", "staging", "worker-item");
    expect(moved).toMatchObject({ code: 0, notes: expect.stringContaining("3 messages moved; 0 left") });
    expect(await waits()).toEqual([{ name: "d2" }, { name: "d3" }]);
    expect(handled).toEqual(["d1"]);
    // Live events of the group wait behind them.
    await lab.send(group, lab.event(group, "live"));
    await until(waits).toHaveLength(3);
    expect(await lab.ops("parked", "replay", "staging", "worker-item", group)).toMatchObject({ code: 0 });
    expect(handled).toEqual(["d1", "d2", "d3", "live"]);
    expect(await log(events[1]!.id)).toMatchObject([{ action: "redrive", workload: "worker-item" }]);
  });

  test("are moved and replayed by one command that has a rate", async () => {
    const group = randomUUID();
    const handled: string[] = [];
    await lab.start(({ data: { name } }) => void handled.push(name));
    for (const name of ["r1", "r2"]) await lab.send(group, lab.event(group, name), true);
    expect(await lab.ops("redrive", "staging", "worker-item", "--rate", "100")).toMatchObject({ code: 0 });
    await until(() => handled).toEqual(["r1", "r2"]);
    await until(() => rows("select from parked_group")).toEqual([]);
  });
});

describe("a blocked event", () => {
  async function block(): Promise<{ id: string; event: ItemRegistered }> {
    const group = randomUUID();
    const event = lab.event(group, "blocked");
    const client = await lab.superuser.connect();
    await insert(
      client,
      [event, lab.event(group, "next")].map((one) => ({
        tenant: one.companyId,
        topic: "item",
        groupId: group,
        eventId: one.id,
        type: one.type,
        version: 1,
        payload: JSON.stringify(one),
      })),
    );
    client.release();
    const [row] = await rows<{ id: string }>(
      `update outbox set blocked_at = now(), attempts = 3, error = 'InvalidParameter: no'
       where event_id = $1 returning id::text as id`,
      [event.id],
    );
    return { id: row!.id, event };
  }
  const state = () => rows("select attempts, blocked_at is not null as blocked from outbox order by id");

  test("is listed and tried again", async () => {
    const { id, event } = await block();
    const listed = await lab.ops("blocked", "staging");
    expect(listed.out).toMatch(
      new RegExp(
        `^${id} +item +item.registered +${event.aggregate.id} +1 +\\d+s +InvalidParameter: no$`,
        "m",
      ),
    );
    expect(await lab.ops("blocked", "retry", "staging", id, "--dry-run")).toMatchObject({ code: 0 });
    expect(await state()).toMatchObject([{ blocked: true }, {}]);
    expect(await lab.ops("blocked", "retry", "staging", id)).toMatchObject({ code: 0 });
    expect(await state()).toEqual([
      { attempts: 0, blocked: false },
      { attempts: 0, blocked: false },
    ]);
    expect(await log(event.id)).toMatchObject([{ action: "retry" }]);
    expect(await lab.ops("blocked", "retry", "staging", id)).toMatchObject({
      code: 1,
      notes: expect.stringContaining(`no blocked event has the id ${id}`),
    });
  });

  test("is skipped with a reason, and what waited behind it goes on", async () => {
    const { id, event } = await block();
    expect(await lab.ops("blocked", "skip", "staging", id)).toMatchObject({ code: 2 });
    expect(await state()).toHaveLength(2);
    const skipped = await lab.ops("blocked", "skip", "staging", id, "--reason", "too large for ever");
    expect(skipped).toMatchObject({ code: 0 });
    expect(await state()).toEqual([{ attempts: 0, blocked: false }]);
    expect(await log(event.id)).toMatchObject([{ action: "skip", reason: "too large for ever" }]);
    expect(await audit(event.id)).toMatchObject([
      { action: "event.skipped", company_id: lab.shop.companyId },
    ]);
  });
});

describe("two operators at once", () => {
  const first = async () => {
    const { group, events } = await parkThree("bad", "second");
    const [{ n }] = (await rows<{ n: string }>("select n::text as n from parked order by parked.n")) as [
      { n: string },
    ];
    const mended = (name: string) => {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify({ ...events[0], data: { ...events[0]!.data, name } }));
      return file;
    };
    return { place: ["staging", "worker-item", group, n], group, mended };
  };

  test("who edits what the other has edited meanwhile is told so, and the other's edit stays", async () => {
    const { place, mended } = await first();
    const edit = (name: string) =>
      lab.ops("parked", "edit", ...place, "--file", mended(name), "--reason", "typing error");
    lab.meanwhile(async () => expect(await edit("theirs")).toMatchObject({ code: 0 }));
    expect(await edit("mine")).toMatchObject({
      code: 1,
      notes: expect.stringMatching(/somebody else has edited it .*\n.*pnpm ops log staging/),
    });
    expect(await waits()).toEqual([{ name: "theirs" }, { name: "second" }]);
    const { out } = await lab.ops("log", "staging", "--limit", "1");
    expect(out).toMatch(/ suzuki +- +edit +worker-item +\S+ +typing error$/m);
  });

  test("who discards what the other has discarded meanwhile is told so, and nothing is logged twice", async () => {
    const { place, group } = await first();
    const discard = () => lab.ops("parked", "discard", ...place, "--reason", "noise");
    lab.meanwhile(async () => expect(await discard()).toMatchObject({ code: 0 }));
    expect(await discard()).toMatchObject({ code: 1, notes: expect.stringContaining("not parked any more") });
    expect(await waits()).toEqual([{ name: "second" }]);
    expect(await rows("select from operator_log where detail ->> 'group' = $1", [group])).toHaveLength(1);
  });

  test("who comes while the other's step is not over is told to try again", async () => {
    const { place, group } = await first();
    const other = await lab.superuser.connect();
    await other.query("begin");
    await other.query("select from parked_group where group_id = $1 for update", [group]);
    expect(await lab.ops("parked", "discard", ...place, "--reason", "noise")).toMatchObject({
      code: 1,
      notes: expect.stringMatching(/somebody is working on it.*\n +Try again/),
    });
    await other.query("rollback");
    other.release();
    expect(await waits()).toHaveLength(2);
  });
});

describe("a stray", () => {
  const stray = "0160c2d0-5a70-7d1a-8a43-0d6b2a7f4c11";
  const forget = ["strays", "forget", "staging", "worker-item", stray, "--reason", "older than every queue"];

  test("is listed with the time in its id, and forgotten with a reason", async () => {
    await rows("insert into consumer (name) values ('worker-item') on conflict do nothing");
    await rows(
      "insert into inbox (event_id, consumer) select $1, id from consumer where name = 'worker-item'",
      [stray],
    );
    expect(await lab.ops("strays", "staging")).toMatchObject({
      out: expect.stringMatching(new RegExp(`^worker-item +${stray} +2018-01-04T20:15:22Z$`, "m")),
    });
    expect((await lab.ops("queues", "staging")).notes).toContain("inbox: 1 stray. pnpm ops strays staging");
    expect(await lab.ops(...forget, "--dry-run")).toMatchObject({ code: 0 });
    expect(await lab.ops(...forget.slice(0, -2))).toMatchObject({ code: 2 });
    expect(await rows("select from inbox_stray")).toHaveLength(1);
    expect(await lab.ops(...forget)).toMatchObject({ code: 0 });
    expect(await rows("select from inbox_stray")).toEqual([]);
    expect(await log(stray)).toMatchObject([{ action: "forget", reason: "older than every queue" }]);
    expect(await lab.ops(...forget)).toMatchObject({ code: 1 });
  });
});

describe("the outbox", () => {
  test("without a relay says so; a session with an old snapshot is named by its pid", async () => {
    const other = await lab.superuser.connect();
    await other.query("begin isolation level repeatable read");
    const { rows: own } = await other.query<{ pid: number }>("select pg_backend_pid() as pid");
    const { out, notes } = await lab.ops("outbox", "staging");
    await other.query("rollback");
    other.release();
    expect(out).toMatch(/^shards without a relay +64 +does backend-outbox run/m);
    expect(out).toMatch(new RegExp(`^oldest snapshot +pid ${own[0]!.pid}, postgres`, "m"));
    expect(notes).toContain("No relay works");
  });
});

describe("names", () => {
  test("of queues are printed alone, for another command to use", async () => {
    expect(await lab.ops("queue", "staging", "worker-item")).toEqual({ code: 0, out: lab.url(), notes: "" });
    expect((await lab.ops("queue", "staging", "worker-item", "--dlq")).out).toBe(lab.url(true));
  });

  test("that no manifest has are refused, with those that there are", async () => {
    for (const [command, why] of [
      [["queues", "prod"], /no environment "prod".*\n.*customer, production, public, staging/],
      [["queue", "staging", "backend-api"], /"backend-api" is no worker of staging.*\n.*worker-ec-order/],
      [["parked", "look", "staging"], /pnpm ops parked look <environment> <workload> <group> \[<n>\]/],
      [["dlq", "empty", "staging"], /is no command.\n +Try dlq peek/],
      [["queues", "staging", "--data", "x"], /staging is in AWS/],
      [["queue", "staging", "worker-item", "--dlq", "--undelivered"], /two queues/],
      [["parked", "look", "staging", "a", "b", "c", "d"], /says too much/],
      [["queues", "staging", "--reason", "x"], /--reason means nothing to queues/],
      [["redrive", "staging", "worker-item", "--rate", "fast"], /--rate fast is not a number/],
    ] as const) {
      expect(await lab.ops(...command)).toMatchObject({
        code: 2,
        out: "",
        notes: expect.stringMatching(why),
      });
    }
  });

  test("of commands have their own help, with what they take and what somebody typed once", async () => {
    const { code, out } = await lab.ops("parked", "discard", "--help");
    expect(code).toBe(0);
    expect(out).toMatch(/^Usage: pnpm ops parked discard <environment> <workload> <group> \[<n>\]/);
    expect(out).toMatch(/--reason <text> .*\n[^]*Example: pnpm ops parked discard production/);
    expect(out).not.toContain("--rate");
  });
});
