import { randomUUID } from "node:crypto";
import { SendEmailCommand, SESv2Client } from "@aws-sdk/client-sesv2";
import { encodeHeader, encodeIso2022Jp } from "./iso-2022-jp.ts";
import type { Order } from "./orders.ts";

/** The one address that this mall writes from. */
const from = "order@mall-a.example";

const subjects = {
  order: "ご注文がありました",
  cancel: "ご注文がキャンセルされました",
} as const;
export type MailKind = keyof typeof subjects;

/** A mail as the mall sends it; keep the result to send the very same mail a second time. */
export type Mail = { to: string; raw: Buffer };

/** The mall's mail to the shop: it names the order, and the shop fetches the rest by the API. */
export function orderMail(to: string, order: Order, kind: MailKind, at = new Date()): Mail {
  const subject = `【モールA】${subjects[kind]}(注文番号: ${order.no})`;
  const text =
    `のれん堂 様\r\n\r\n下記の${kind === "order" ? "ご注文がありました" : "ご注文がキャンセルされました"}。` +
    `管理画面でご確認ください。\r\n\r\n注文番号: ${order.no}\r\n`;
  const head = [
    `From: ${encodeHeader("モールA")} <${from}>`,
    `To: ${to}`,
    `Subject: ${encodeHeader(subject)}`,
    `Date: ${at.toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: <${randomUUID()}@mall-a.example>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=ISO-2022-JP",
    "Content-Transfer-Encoding: 7bit",
  ].join("\r\n");
  return { to, raw: Buffer.concat([Buffer.from(`${head}\r\n\r\n`), encodeIso2022Jp(text)]) };
}

/** Sends mails through SES, which on a laptop is the runner's inbox. */
export function sender(client = new SESv2Client()): (mail: Mail) => Promise<void> {
  return async ({ to, raw }) => {
    await client.send(
      new SendEmailCommand({
        FromEmailAddress: from,
        Destination: { ToAddresses: [to] },
        Content: { Raw: { Data: raw } },
      }),
    );
  };
}
