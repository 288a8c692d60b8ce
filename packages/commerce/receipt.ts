import { divide, type Day, type Rate, type TaxClass, type Yen } from "./money.ts";
import type { TaxGroup } from "./tax.ts";

export type ReceiptSale = {
  saleId: string;
  receiptNo: string;
  completedAt: Date;
  businessDate: Day;
  state: "completed" | "voided";
  registerCode: string;
  staffName: string;
  lines: {
    name: string;
    condition?: string | null;
    taxClass: TaxClass;
    ratePct: Rate;
    unitPriceYen: Yen;
    qty: number;
    lineDiscountYen: Yen;
    spreadDiscountYen: Yen;
    amountYen: Yen;
  }[];
  taxes: TaxGroup[];
  payments: { method: string; amountYen: Yen; tenderedYen?: Yen | null }[];
  totalYen: Yen;
};
export type ReceiptCompany = {
  name: string;
  invoiceNo: string | null;
  antiquePermitNo?: string | null;
  antiqueAuthority?: string | null;
};
export type ReceiptStore = { name: string; address: string | null; phone: string | null };

/** One model for the screen, the print and the mail: everything that a 適格簡易請求書 needs, in the order of the paper. */
export type ReceiptDocument = {
  saleId: string;
  receiptNo: string;
  /** UTC instant. */
  completedAt: string;
  businessDate: Day;
  voided: boolean;
  /** `invoiceNo` only when the company has one: without it the paper claims nothing. */
  issuer: { name: string; invoiceNo?: string; antiquePermit?: string };
  store: ReceiptStore;
  registerCode: string;
  staffName: string;
  lines: {
    name: string;
    condition?: string;
    unitPriceYen: Yen;
    qty: number;
    discountYen: Yen;
    amountYen: Yen;
    ratePct: Rate;
    /** Shown as ※: the reduced rate applies. */
    reduced: boolean;
  }[];
  itemCount: number;
  taxes: (TaxGroup & { reduced: boolean })[];
  totalYen: Yen;
  payments: { method: string; amountYen: Yen }[];
  tenderedYen: Yen;
  changeYen: Yen;
  /** On paper a box for the revenue stamp: 50,000 yen or more in cash, without the tax, which we show. */
  stampDuty: boolean;
};

/** The receipt of a sale. Pure: what it prints was stored with the sale, whatever the masters say today. */
export function receipt(sale: ReceiptSale, company: ReceiptCompany, store: ReceiptStore): ReceiptDocument {
  const reducedRates = new Set(
    sale.lines.filter(({ taxClass }) => taxClass === "reduced").map(({ ratePct }) => ratePct),
  );
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const cash = sale.payments.filter(({ method }) => method === "cash");
  const cashYen = sum(cash.map(({ amountYen }) => amountYen));
  const tenderedYen = sum(cash.map((payment) => payment.tenderedYen ?? payment.amountYen));
  const taxYen = sum(sale.taxes.map((group) => group.taxYen));
  const taxInCash = sale.totalYen === 0 ? 0 : divide(taxYen * cashYen, sale.totalYen, "floor");
  return {
    saleId: sale.saleId,
    receiptNo: sale.receiptNo,
    completedAt: sale.completedAt.toISOString(),
    businessDate: sale.businessDate,
    voided: sale.state === "voided",
    issuer: {
      name: company.name,
      ...(company.invoiceNo ? { invoiceNo: company.invoiceNo } : {}),
      ...(company.antiquePermitNo
        ? { antiquePermit: `${company.antiqueAuthority ?? ""} ${company.antiquePermitNo}`.trim() }
        : {}),
    },
    store,
    registerCode: sale.registerCode,
    staffName: sale.staffName,
    lines: sale.lines.map((line) => ({
      name: line.name,
      ...(line.condition ? { condition: line.condition } : {}),
      unitPriceYen: line.unitPriceYen,
      qty: line.qty,
      discountYen: line.lineDiscountYen + line.spreadDiscountYen,
      amountYen: line.amountYen,
      ratePct: line.ratePct,
      reduced: line.taxClass === "reduced",
    })),
    itemCount: sum(sale.lines.map(({ qty }) => qty)),
    taxes: sale.taxes.map((group) => ({ ...group, reduced: reducedRates.has(group.ratePct) })),
    totalYen: sale.totalYen,
    payments: sale.payments.map(({ method, amountYen }) => ({ method, amountYen })),
    tenderedYen,
    changeYen: tenderedYen - cashYen,
    stampDuty: cashYen - taxInCash >= 50_000,
  };
}
