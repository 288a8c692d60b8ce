import { companyByStorefront, inCompany } from "@noren/database";
import { operation } from "./operation.ts";
import { notFound } from "./refusal.ts";

/** The company whose storefront this is, with what every page shows of it. */
export const storefront = operation("storefront", async ({ query, database }) => {
  const companyId = await companyByStorefront(database, query);
  if (!companyId) throw notFound("このお店は見つかりませんでした。");
  return inCompany(database, companyId, async (tx) => {
    const company = await tx
      .selectFrom("companies")
      .select([
        "id",
        "code",
        "name",
        "invoice_no as invoiceNo",
        "antique_permit_no as antiquePermitNo",
        "antique_authority as antiqueAuthority",
      ])
      .where("id", "=", companyId)
      .executeTakeFirstOrThrow();
    const categories = await tx.selectFrom("categories").select(["id", "name"]).orderBy("position").execute();
    return { company, categories };
  });
});
