import type { WriteMail } from "./mails.ts";
import { orderOfMail } from "./order-of-mail.ts";
import { moment, yen } from "./words.ts";

/**
 * The confirmation of an order. It repeats the six items that the law names for the last page before ordering: quantity;
 * price and total; when and how to pay; when delivered; withdrawal and returns; period of the offer (there is none).
 */
export const orderPlacedMail: WriteMail = async (tx, { orderId = "" }, { storefrontUrl, token }) => {
  const order = await orderOfMail(tx, orderId);
  const link = new URL(`/orders/${encodeURIComponent(order.no)}`, storefrontUrl);
  if (token) link.searchParams.set("token", token);
  const text = [
    `${order.company} をご利用いただき、ありがとうございます。`,
    "次のご注文を承りました。",
    "",
    `ご注文番号: ${order.no}`,
    `ご注文日時: ${moment(order.placed_at)}`,
    "",
    "■ 商品と数量",
    ...order.lines.map(
      ({ name, condition, qty, amount_yen }) =>
        `・${name}${condition ? `(${condition})` : ""} × ${qty}  ${yen(amount_yen)}`,
    ),
    "",
    "■ 代金",
    `送料: ${yen(order.shipping_yen)}`,
    `合計: ${yen(order.total_yen)}(税込)`,
    ...order.taxes.map(
      ({ rate_pct, gross_yen, tax_yen }) => `  ${rate_pct}%対象 ${yen(gross_yen)}(内消費税 ${yen(tax_yen)})`,
    ),
    "",
    "■ お支払いの時期と方法",
    `銀行振込(前払い)。${order.deadline ? moment(order.deadline) : ""} までにお振り込みください。`,
    `お振込先: ${order.bank_account ?? "折り返しご案内します"}`,
    `振込名義の前にご注文番号(${order.no})を付けてください。手数料はお客様のご負担となります。`,
    "期限までにご入金を確認できないときは、ご注文は自動で取り消されます。",
    "",
    "■ お届けの時期",
    order.legal["delivery"] ?? "ご入金の確認から3営業日以内に発送します。",
    "",
    "■ お申し込みの撤回・返品",
    order.legal["returns"] ??
      "お届けから8日以内にご連絡ください。不良品は当店の送料負担で交換または返金します。",
    "",
    "■ 販売期間",
    "期間の限定はありません。",
    "",
    `ご注文の状況: ${link.href}`,
    ...(order.contact_email ? [`お問い合わせ: ${order.contact_email}`] : []),
  ];
  return {
    fromName: order.company,
    replyTo: order.contact_email ?? undefined,
    subject: `【${order.company}】ご注文を承りました(${order.no})`,
    text: `${text.join("\n")}\n`,
  };
};
