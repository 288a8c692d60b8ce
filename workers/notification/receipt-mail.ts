import { receiptOfSale } from "@noren/database";
import type { WriteMail } from "./mails.ts";
import { methods, moment, yen } from "./words.ts";

/** The receipt in text, with all that a 適格簡易請求書 must say: issuer and number, date, contents with ※, total and tax by rate. */
export const receiptMail: WriteMail = async (tx, { saleId = "" }) => {
  const receipt = await receiptOfSale(tx, saleId);
  if (!receipt) throw new Error(`There is no sale ${saleId} to write a receipt of.`);
  const { issuer, store } = receipt;
  const reduced = receipt.lines.some((line) => line.reduced);
  const text = [
    `${issuer.name} ${store.name}`,
    ...[store.address, store.phone && `電話 ${store.phone}`].filter(Boolean),
    ...(issuer.invoiceNo ? [`登録番号 ${issuer.invoiceNo}`] : []),
    "",
    `領収書  ${receipt.receiptNo}`,
    `${moment(new Date(receipt.completedAt))}  担当 ${receipt.staffName}`,
    ...(receipt.voided ? ["この会計は取り消されています。"] : []),
    "",
    ...receipt.lines.map(
      (line) =>
        `${line.name}${line.condition ? `(${line.condition})` : ""}${line.reduced ? " ※" : ""}\n` +
        `  ${yen(line.unitPriceYen)} × ${line.qty}  ${yen(line.amountYen)}` +
        (line.discountYen > 0 ? `(値引 ${yen(line.discountYen)})` : ""),
    ),
    "",
    `合計(${receipt.itemCount}点)  ${yen(receipt.totalYen)}`,
    ...receipt.taxes.map(
      ({ ratePct, grossYen, taxYen }) => `  ${ratePct}%対象 ${yen(grossYen)}(内消費税 ${yen(taxYen)})`,
    ),
    ...receipt.payments.map(({ method, amountYen }) => `${methods[method] ?? method}  ${yen(amountYen)}`),
    `お預かり ${yen(receipt.tenderedYen)}  お釣り ${yen(receipt.changeYen)}`,
    ...(reduced ? ["", "※は軽減税率対象です。"] : []),
    ...(issuer.antiquePermit ? ["", `古物商許可 ${issuer.antiquePermit}`] : []),
  ];
  return {
    fromName: `${issuer.name} ${store.name}`,
    subject: `【${issuer.name}】レシート ${receipt.receiptNo}`,
    text: `${text.join("\n")}\n`,
  };
};
