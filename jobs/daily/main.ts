import { connect, databaseEnv } from "@noren/database";
import { env, logger } from "@noren/service";
import { daily } from "./daily.ts";

const database = connect(env(databaseEnv), { max: 2 });
const log = logger("job-daily");
try {
  const report = await daily(database, log, new Date());
  if (report) log.info({ report }, "daily job done");
  else log.warn("another run of the daily job is at work; nothing done");
} catch (err) {
  log.error({ err }, "daily job failed; run it again, every step may run twice");
  process.exitCode = 1;
} finally {
  await database.close();
}
