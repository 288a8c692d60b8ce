import { expect, test } from "vitest";
import { askForReplay } from "worker";
import { nothingWrong } from "./lab.ts";
import { labs, until } from "./testing.ts";

const open = labs();

test("a message that comes while the last parked one of its group is replayed waits for it, and is not parked", async (context) => {
  const lab = await open(context);
  const queue = await lab.queue();
  await lab.behave("a", 1, "refuse");
  await lab.sendAll(queue, "a-1");
  const worker = lab.worker(queue);
  await until(async () => (await lab.verdict()).parked, 1);
  await lab.behave("a", 1, "slow 2000");
  await askForReplay(await lab.client(), { consumer: queue.name });
  const runs = () => lab.rows("select from run");
  await until(async () => (await runs()).length, 2);
  await lab.sendAll(queue, "a-2");
  await until(
    () => queue.state().messages.map(({ receives }) => receives),
    (receives: number[]) => receives.length === 0 || receives[0]! > 0,
  );
  expect(await lab.settled()).toEqual(nothingWrong);
  expect(await lab.effects(queue)).toEqual(["a-1", "a-2"]);
  expect((await worker.health())?.detail).toMatchObject({ parked: 1, handled: 1, replayed: 1 });
});
