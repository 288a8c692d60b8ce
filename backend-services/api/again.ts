/** PostgreSQL undid the transaction so that another could go on; the same may simply be done again. */
const undone = new Set(["40001", "40P01"]);
const TRIES = 3;

/** Runs a whole transaction again when PostgreSQL chose it as the victim of a deadlock or a serialization failure. */
export async function again<T>(transaction: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await transaction();
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (!undone.has(code) || attempt === TRIES) throw error;
    }
}
