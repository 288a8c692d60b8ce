import { receiptOfRefund } from "@noren/database";
import type { WriteMail } from "./mails.ts";
import { methods, moment, yen } from "./words.ts";

/** The return receipt in text, with all that a 適格返還請求書 must say: issuer and number, both dates, contents with ※, total and tax by rate. */
export const returnMail: WriteMail = async (tx, { refundId = "" }) => {
  const refund = await receiptOfRefund(tx, refundId);
  if (!refund) throw new Error(`There is no refund ${refundId} to write a receipt of.`);
  const { issuer, store } = refund;
  const pieces = refund.lines.reduce((sum, { qty }) => sum + qty, 0);
  const text = [
    `${issuer.name} ${store.name}`,
    ...[store.address, store.phone && `電話 ${store.phone}`].filter(Boolean),
    ...(issuer.invoiceNo ? [`登録番号 ${issuer.invoiceNo}`] : []),
    "",
    `返品・返金のお控え  ${refund.refundNo}`,
    `${moment(new Date(refund.refundedAt))}  担当 ${refund.staffName}`,
    `もとの会計  ${refund.receiptNo}  ${moment(new Date(refund.soldAt))}`,
    `理由  ${refund.reason}`,
    "",
    ...refund.lines.map(
      (line) =>
        `${line.name}${line.condition ? `(${line.condition})` : ""}${line.reduced ? " ※" : ""}\n` +
        `  返品 ${line.qty}点  ${yen(line.amountYen)}`,
    ),
    "",
    `返金合計(${pieces}点)  ${yen(refund.totalYen)}`,
    ...refund.taxes.map(
      ({ ratePct, grossYen, taxYen }) => `  ${ratePct}%対象 ${yen(grossYen)}(内消費税 ${yen(taxYen)})`,
    ),
    ...refund.payments.map(
      ({ method, amountYen }) => `${methods[method] ?? method}で返金  ${yen(amountYen)}`,
    ),
    ...(refund.lines.some((line) => line.reduced) ? ["", "※は軽減税率対象です。"] : []),
  ];
  return {
    fromName: `${issuer.name} ${store.name}`,
    subject: `【${issuer.name}】返品・返金のお控え ${refund.refundNo}`,
    text: `${text.join("\n")}\n`,
  };
};
