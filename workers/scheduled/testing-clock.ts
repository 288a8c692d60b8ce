import { connect, type Settings } from "@noren/database";
import { logger } from "@noren/service";
import { startClock } from "./clock.ts";

// A process of its own for crash.test.ts: one clock, as the worker runs it, on the database of its argument.
const database = connect(JSON.parse(process.argv[2] ?? "") as Settings, { max: 2 });
startClock({ database, log: logger("clock"), everyMs: 20 });
