import type { WriteMail } from "./mails.ts";
import { orderOfMail } from "./order-of-mail.ts";
import { moment, yen } from "./words.ts";

/** Tells that an order has ended for want of payment, and what to do if the money is on its way. */
export const orderExpiredMail: WriteMail = async (tx, { orderId = "" }, { storefrontUrl }) => {
  const order = await orderOfMail(tx, orderId);
  const text = [
    `${order.company} をご利用いただき、ありがとうございます。`,
    `お支払い期限までにご入金を確認できなかったため、次のご注文を取り消しました。`,
    "",
    `ご注文番号: ${order.no}`,
    `お支払い期限: ${order.deadline ? moment(order.deadline) : ""}`,
    ...order.lines.map(({ name, qty }) => `・${name} × ${qty}`),
    `合計: ${yen(order.total_yen)}`,
    "",
    "すでにお振り込みいただいた場合は、このメールに返信してお知らせください。在庫があれば発送し、なければ返金します。",
    `もう一度ご注文いただくには: ${storefrontUrl}`,
  ];
  return {
    fromName: order.company,
    replyTo: order.contact_email ?? undefined,
    subject: `【${order.company}】ご注文を取り消しました(${order.no})`,
    text: `${text.join("\n")}\n`,
  };
};
