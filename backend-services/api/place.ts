import type { Tx } from "@noren/database";

/** The names of where a till stands: what the device and the sign-in answer. */
export async function place(tx: Tx, registerId: string) {
  const found = await tx
    .selectFrom("registers")
    .innerJoin("stores", "stores.id", "registers.store_id")
    .innerJoin("companies", "companies.id", "registers.company_id")
    .select([
      "companies.id as companyId",
      "companies.code as companyCode",
      "companies.name as companyName",
      "stores.id as storeId",
      "stores.code as storeCode",
      "stores.name as storeName",
      "registers.code as registerCode",
    ])
    .where("registers.id", "=", registerId)
    .executeTakeFirstOrThrow();
  return {
    company: { id: found.companyId, code: found.companyCode, name: found.companyName },
    store: { id: found.storeId, code: found.storeCode, name: found.storeName },
    register: { id: registerId, code: found.registerCode },
  };
}
