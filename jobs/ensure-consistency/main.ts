import { connect, databaseEnv } from "@noren/database";
import { env, logger } from "@noren/service";
import { ensureConsistency } from "./ensure-consistency.ts";

const database = connect(env(databaseEnv), { max: 2 });
const log = logger("job-ensure-consistency");
try {
  const report = await ensureConsistency(database);
  const clean = Object.values(report.found).every((n) => n === 0) && !report.outbox.late;
  if (clean) log.info({ report }, "everything is consistent");
  else log.error({ report }, "mismatches found; each is an audit.mismatch_found event");
} catch (err) {
  log.error({ err }, "could not check; nothing is known about the consistency");
  process.exitCode = 1;
} finally {
  await database.close();
}
