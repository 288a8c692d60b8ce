export { RetryAfter, Unprocessable } from "./errors.ts";
export { on } from "./handler.ts";
export type { Context, Definition, Handler, On, Order } from "./handler.ts";
export type { Log } from "./log.ts";
export { grants, migrations } from "./migrations.ts";
export {
  askForReplay,
  cancelReplay,
  deadLetterToParked,
  discardParked,
  editParked,
  forgetStray,
  parkedCounts,
  parkedGroups,
  parkedMessages,
  strays,
  waitingForPeople,
} from "./parked.ts";
export type { ParkedCount, ParkedGroup, ParkedMessage, Stray } from "./parked.ts";
export type { Queryable } from "./queryable.ts";
export { unwrap } from "./message.ts";
export { replay } from "./replay.ts";
export type { Replayed, ReplayOptions } from "./replay.ts";
export { work } from "./work.ts";
export type { Worker, WorkerHealth, WorkOptions } from "./work.ts";
