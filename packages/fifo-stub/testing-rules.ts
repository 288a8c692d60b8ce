import { Account } from "./account.ts";
import { AwsError } from "./aws-error.ts";
import { Clock } from "./clock.ts";
import type { FifoQueue } from "./queue.ts";

/** A FIFO queue with its dead letter queue, as a test plays on it. Messages are named by their number, from 0. */
export type Played = {
  /** The message that it became, or that it repeats. */
  send(group: string, key: string): number;
  /** Messages, each with how often it was received by now. */
  receive(most: number, hideSeconds: number): [n: number, receives: number][];
  /** By the `nth` receipt that was ever given. False: refused. */
  delete(nth: number): boolean;
  hide(nth: number, seconds: number): boolean;
  advance(seconds: number): void;
  look(): { live: [n: number, receives: number, inFlight: boolean][]; dead: [n: number, receives: number][] };
};

export type Settings = { scope: "queue" | "messageGroup"; mostReceives: number };

type Known = {
  n: number;
  group: string;
  receives: number;
  receivedAt: number;
  hiddenUntil: number;
  receipt: number;
};

/** What AWS documents, written down a second time, as plainly as can be. Its time is in seconds. */
export function rules({ scope, mostReceives }: Settings): Played {
  let now = 0;
  let [sent, receipts] = [0, 0];
  let live: Known[] = [];
  const dead: [number, number][] = [];
  const given: Known[] = [];
  const recent = new Map<string, { at: number; n: number }>();

  const inFlight = ({ hiddenUntil }: Known) => hiddenUntil > now;
  /** The message of a receipt: `gone` when it is there no more, undefined when somebody else may have it by now. */
  function holder(nth: number): Known | "gone" | undefined {
    const message = given[nth]!;
    if (!live.includes(message)) return "gone";
    return message.receipt === nth && inFlight(message) ? message : undefined;
  }

  return {
    // Five minutes from the first one, also when it was deleted since.
    send(group, key) {
      const scoped = scope === "queue" ? key : `${group} ${key}`;
      const first = recent.get(scoped);
      if (first && now - first.at < 300) return first.n;
      const n = sent++;
      recent.set(scoped, { at: now, n });
      live.push({ n, group, receives: 0, receivedAt: 0, hiddenUntil: 0, receipt: -1 });
      return n;
    },
    // Group after group, as many of each as fit, in order; none of a group of which something is in flight. Who has had all
    // its receives moves to the dead letters instead, and its group goes on without it.
    receive(most, hideSeconds) {
      const busy = new Set(live.filter(inFlight).map(({ group }) => group));
      const free = new Set(live.map(({ group }) => group).filter((group) => !busy.has(group)));
      const taken: Known[] = [];
      for (const message of [...free].flatMap((group) => live.filter((one) => one.group === group))) {
        if (taken.length === most) break;
        if (message.receives === mostReceives) {
          live = live.filter((one) => one !== message);
          dead.push([message.n, message.receives]);
        } else {
          taken.push(message);
        }
      }
      for (const message of taken) {
        message.receives += 1;
        message.receivedAt = now;
        message.hiddenUntil = now + hideSeconds;
        message.receipt = receipts++;
        given.push(message);
      }
      return taken.map(({ n, receives }) => [n, receives]);
    },
    delete(nth) {
      const message = holder(nth);
      live = live.filter((one) => one !== message);
      return message !== undefined;
    },
    // For at most twelve hours from the receive.
    hide(nth, seconds) {
      const message = holder(nth);
      if (!message || message === "gone" || now + seconds - message.receivedAt > 43_200) return false;
      message.hiddenUntil = now + seconds;
      return true;
    },
    advance: (seconds) => void (now += seconds),
    look: () => ({ live: live.map((one) => [one.n, one.receives, inFlight(one)]), dead }),
  };
}

/** The stub itself. */
export function stubbed({ scope, mostReceives }: Settings): Played {
  const clock = new Clock();
  const account = new Account(clock, { inFlight: 120_000, searched: 120_000 });
  const dead = account.create("dead.fifo", { FifoQueue: "true" });
  const redrive = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: mostReceives });
  const queue = account.create("live.fifo", {
    FifoQueue: "true",
    DeduplicationScope: scope,
    ...(mostReceives === Infinity ? {} : { RedrivePolicy: redrive }),
  });
  const numbers = new Map<string, number>();
  const handles: string[] = [];
  const messages = (of: FifoQueue) =>
    of.messages().map(({ message, inFlight }) => ({ ...message, n: numbers.get(message.id)!, inFlight }));
  const granted = (call: () => void) => {
    try {
      call();
      return true;
    } catch (error) {
      if (error instanceof AwsError) return false;
      throw error;
    }
  };

  return {
    send(group, key) {
      const { id } = queue.send({ body: "x", groupId: group, deduplicationId: key });
      if (!numbers.has(id)) numbers.set(id, numbers.size);
      return numbers.get(id)!;
    },
    receive(most, hideSeconds) {
      const given = queue.receive(most, hideSeconds);
      handles.push(...given.map(({ held }) => held!.handle));
      return given.map(({ id, receives }) => [numbers.get(id)!, receives]);
    },
    delete: (nth) => granted(() => queue.delete(handles[nth]!)),
    hide: (nth, seconds) => granted(() => queue.changeVisibility(handles[nth]!, seconds)),
    advance: (seconds) => clock.advance(seconds * 1000),
    look: () => ({
      live: messages(queue).map(({ n, receives, inFlight }) => [n, receives, inFlight]),
      dead: messages(dead).map(({ n, receives }) => [n, receives]),
    }),
  };
}
