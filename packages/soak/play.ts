import { inspect } from "node:util";
import { inflict } from "./faults.ts";
import { handOver } from "./operator.ts";
import { plants } from "./plants.ts";
import { prove, quiet, readBooks } from "./proof.ts";
import type { Story, Violation } from "./proof.ts";
import { openShop } from "./shop.ts";
import type { Outcome } from "./shop.ts";
import { isFault, whatHappens } from "./story.ts";
import type { Step } from "./story.ts";
import { openTap } from "./tap.ts";
import { openWorkspace, pause } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

export type Ending = {
  steps: Step[];
  story: Story;
  violations: Violation[];
  /** How long it took after the last step until nothing moved. */
  settledMs: number;
  /** What a person had to give to a function again after that. */
  handedOver: number;
};

export type PlayOptions = {
  seed: number;
  /** A bug of plants.ts. */
  plant?: string | undefined;
  /** How long everything may need to settle; longer than a queue's visibility, or a killed worker looks like a loss. */
  settleMs?: number;
  say?: (text: string) => void;
};

/** Plays a story on a workspace of its own, from an empty shop to the proof. */
export async function play(steps: Step[], options: PlayOptions): Promise<Ending> {
  const workspace = await openWorkspace();
  try {
    return await playIn(workspace, steps, options);
  } finally {
    await workspace.close();
  }
}

/** Plays a story on a workspace that is quiet. */
async function playIn(
  workspace: Workspace,
  steps: Step[],
  { seed, plant, settleMs = 180_000, say = () => {} }: PlayOptions,
): Promise<Ending> {
  const tap = await openTap(workspace);
  const shop = await openShop(workspace, seed);
  const restless = await quiet(workspace, settleMs);
  if (restless.length > 0) throw new Error(`The shop does not come to rest: ${restless.join("; ")}.`);
  if (plant) await workspace.rows(plants[plant] ?? raise(`There is no plant ${plant}.`));
  const before = await readBooks(workspace);

  const outcomes: Outcome[] = [];
  const broken: Violation[] = [];
  const lanes = new Map<string, Promise<void>>();
  const startedAt = Date.now();
  const faults: string[] = [];
  let saidAt = startedAt;
  for (const step of steps) {
    await pause(startedAt + step.at - Date.now());
    const run = async () => {
      if (isFault(step)) {
        faults.push(whatHappens(step));
        broken.push(...(await inflict(workspace, step)));
        return;
      }
      try {
        outcomes.push(await shop.do(step));
      } catch (error) {
        // The story goes on: half an hour is not thrown away, and this is told with the rest.
        broken.push({ law: "answers", what: inspect(error), n: step.n });
      }
    };
    const lane = laneOf(step);
    const work = (lanes.get(lane) ?? Promise.resolve()).then(run);
    lanes.set(lane, work);
    // Awaited at the end; until then its failure is nobody's.
    work.catch(() => {});
    if (Date.now() - saidAt > 30_000) {
      saidAt = Date.now();
      const passed = Math.round((saidAt - startedAt) / 1000);
      say(`${passed} s: ${outcomes.length} deeds done; ${faults.splice(0).join("; ") || "no faults"}`);
    }
  }
  await Promise.all(lanes.values());

  const endedAt = Date.now();
  let left = await quiet(workspace, settleMs);
  const settledMs = Date.now() - endedAt;
  const handedOver = left.length === 0 ? await handOver(workspace) : 0;
  if (handedOver > 0) left = await quiet(workspace, settleMs);
  const story: Story = {
    before,
    after: await readBooks(workspace),
    outcomes,
    heard: await tap.hear(),
    queues: await tap.lengths(),
    brokerCrashed: steps.some(({ kind }) => kind === "broker"),
  };
  const violations = [
    ...broken,
    ...left.map((what) => ({
      law: "comes to rest",
      what: `${what}, ${settleMs / 1000} s after the last step`,
    })),
    ...(await prove(workspace, story)),
  ];
  return { steps, story, violations, settledMs, handedOver };
}

/** A till serves one customer after the other, who suffers has one trouble after the other; shoppers do not wait. */
function laneOf(step: Step): string {
  if ("till" in step) return `till ${step.till}`;
  if ("service" in step) return step.service;
  if (step.kind === "job") return step.job;
  return isFault(step) ? step.kind : `${step.kind} ${step.n}`;
}

function raise(message: string): never {
  throw new Error(message);
}
