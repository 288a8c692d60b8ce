import { type Database, companyIds, emit, inCompany } from "@noren/database";
import { auditMismatchFound } from "@noren/events";
import { type Mismatch, invariants, onHand, reserved } from "@noren/database/invariants";
import { type OutboxAge, outboxAge } from "./outbox-age.ts";
import { repairLevel } from "./repair.ts";

export type ConsistencyReport = {
  companies: number;
  /** How many rows broke each law. */
  found: Record<string, number>;
  repaired: number;
  outbox: OutboxAge;
};

/**
 * Proves the laws of the shop company by company, repairs the caches, and tells of every mismatch by one
 * `audit.mismatch_found`. Throws when it could not check: finding something wrong is its work and no error.
 */
export async function ensureConsistency(database: Database): Promise<ConsistencyReport> {
  const found: Record<string, number> = Object.fromEntries(invariants.map(({ name }) => [name, 0]));
  const companies = await companyIds(database);
  let repaired = 0;
  for (const companyId of companies)
    for (const { name, find } of invariants) {
      const mismatches = await inCompany(database, companyId, (tx) => find(tx));
      found[name] = (found[name] ?? 0) + mismatches.length;
      for (const mismatch of mismatches) if (await report(database, companyId, mismatch)) repaired += 1;
    }
  return { companies: companies.length, found, repaired, outbox: await outboxAge(database) };
}

const caches = new Set([onHand.name, reserved.name]);

/** One transaction a mismatch: a repair and the news of it are both there or neither. */
function report(database: Database, companyId: string, mismatch: Mismatch): Promise<boolean> {
  return inCompany(database, companyId, async (tx) => {
    const { check, subjectId, expected, actual } = mismatch;
    const repaired = caches.has(check) && (await repairLevel(tx, companyId, mismatch));
    const news = auditMismatchFound.create({
      companyId,
      aggregateId: `${check}/${subjectId}`,
      data: { check, subjectId, expected, actual, repaired },
    });
    await emit(tx, news);
    return repaired;
  });
}
