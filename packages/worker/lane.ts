import type { Incoming } from "./message.ts";
import type { Queue } from "./queue.ts";

/** Kept free between the end of our work and the moment SQS hands the message to somebody else; a quarter at most. */
const MARGIN_MS = 2000;

/** The messages of one group that are in hand, in order, kept in flight by a heartbeat until they are done. */
export class Lane {
  readonly groupId: string;
  /** It waits for a time and needs no connection. */
  held = false;
  /** Resolves when start() has nothing more to do. */
  done: Promise<void> = Promise.resolve();
  readonly #queue: Queue;
  readonly #messages: Incoming[];
  #hiddenUntil: number;
  /** The last heartbeat did not reach SQS. */
  #unheld = false;
  #heartbeat: NodeJS.Timeout | undefined;
  #lost = false;

  constructor(message: Incoming, queue: Queue) {
    this.groupId = message.groupId;
    this.#queue = queue;
    this.#messages = [message];
    this.#hiddenUntil = hiddenFrom(performance.now(), queue);
  }

  /** Runs `work` with the heartbeat on. */
  start(work: () => Promise<void>): void {
    const everyMs = Math.max(200, (this.#queue.visibilitySeconds * 1000) / 3);
    this.#heartbeat = setInterval(() => void this.#beat(), everyMs);
    this.done = work().finally(() => clearInterval(this.#heartbeat));
  }

  /** A message that is here already was handed out again: only its newer receipt can delete it. */
  add(message: Incoming): void {
    const known = this.#messages.find(({ messageId }) => messageId === message.messageId);
    if (known) known.receiptHandle = message.receiptHandle;
    else this.#messages.push(message);
  }

  first(): Incoming | undefined {
    return this.#messages[0];
  }

  remove(message: Incoming): void {
    this.#messages.splice(this.#messages.indexOf(message), 1);
  }

  empty(): Incoming[] {
    return this.#messages.splice(0);
  }

  /** SQS may have handed its messages to somebody else by now: nothing more of it may be started. */
  expired(): boolean {
    const unheld = this.#unheld || !this.#queue.canHold;
    return this.#lost || (unheld && performance.now() > this.#hiddenUntil);
  }

  async #beat(): Promise<void> {
    const sentAt = performance.now();
    const { lost, reached } = await this.#queue.hide([...this.#messages], this.#queue.visibilitySeconds);
    this.#unheld = !reached;
    if (reached) this.#hiddenUntil = hiddenFrom(sentAt, this.#queue);
    // Those that are done meanwhile are of no interest.
    if (lost.some((message) => this.#messages.includes(message))) this.#lost = true;
  }
}

function hiddenFrom(at: number, { visibilitySeconds }: Queue): number {
  const hiddenMs = visibilitySeconds * 1000;
  return at + hiddenMs - Math.min(MARGIN_MS, hiddenMs / 4);
}
