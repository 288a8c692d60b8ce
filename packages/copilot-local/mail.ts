import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import PostalMime, { type Address, type Email } from "postal-mime";
import { z } from "zod";
import type { MailRule } from "./local-addons.ts";

/** One mail in the list. */
export interface MailSummary {
  id: string;
  receivedAt: string;
  from: string;
  to: string[];
  subject: string;
}

export interface MailDetail extends MailSummary {
  headers: { name: string; value: string }[];
  text: string;
  html: string;
  attachments: { name: string; type: string; bytes: number }[];
}

/** A mail as it was handed in, and who gets it. */
export interface Envelope {
  id: string;
  from: string;
  recipients: string[];
  raw: Buffer;
}

export interface Mailbox {
  /** Newest first. */
  list(): MailSummary[];
  read(id: string): Promise<MailDetail | undefined>;
  /** The mail as it was sent, in MIME. */
  raw(id: string): Buffer | undefined;
  put(mail: Envelope): Promise<MailSummary>;
}

/** Every mail that was sent, one `.eml` a mail, its envelope in a JSON file beside it. */
export function openMailbox(directory: string): Mailbox {
  mkdirSync(directory, { recursive: true });
  const mails: MailSummary[] = readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(directory, name), "utf8")) as MailSummary);
  const raw = (id: string) => {
    if (!mails.some((mail) => mail.id === id)) return undefined;
    return readFileSync(join(directory, `${id}.eml`));
  };
  return {
    list: () => mails.toReversed(),
    raw,
    async read(id) {
      const summary = mails.find((mail) => mail.id === id);
      const source = raw(id);
      if (!summary || !source) return undefined;
      const email = await PostalMime.parse(source);
      return {
        ...summary,
        headers: email.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
        text: email.text ?? "",
        html: email.html ?? "",
        attachments: email.attachments.map(({ filename, mimeType, content }) => ({
          name: filename ?? "",
          type: mimeType,
          bytes: typeof content === "string" ? content.length : content.byteLength,
        })),
      };
    },
    async put({ id, from, recipients, raw: source }) {
      const email = await PostalMime.parse(source);
      const summary: MailSummary = {
        id,
        receivedAt: new Date().toISOString(),
        from: addressText(email.from) || from,
        to: recipients,
        subject: email.subject ?? "",
      };
      writeFileSync(join(directory, `${id}.eml`), source);
      writeFileSync(join(directory, `${id}.json.new`), JSON.stringify(summary));
      renameSync(join(directory, `${id}.json.new`), join(directory, `${id}.json`));
      mails.push(summary);
      return summary;
    },
  };
}

const content = z.object({ Data: z.string(), Charset: z.string().optional() });
const addresses = z.array(z.string()).optional();
const sendEmail = z.object({
  FromEmailAddress: z.string().optional(),
  Destination: z
    .object({ ToAddresses: addresses, CcAddresses: addresses, BccAddresses: addresses })
    .optional(),
  ReplyToAddresses: addresses,
  Content: z.object({
    Simple: z
      .object({
        Subject: content,
        Body: z.object({ Text: content.optional(), Html: content.optional() }),
        Headers: z.array(z.object({ Name: z.string(), Value: z.string() })).optional(),
      })
      .optional(),
    Raw: z.object({ Data: z.string() }).optional(),
    Template: z.unknown().optional(),
  }),
});

/**
 * Reads the body of SES's SendEmail (v2) into a mail. Throws an Error with the words that SES would refuse it with.
 */
export async function readSendEmail(body: unknown): Promise<Envelope> {
  const parsed = sendEmail.safeParse(body);
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const { FromEmailAddress, Destination = {}, ReplyToAddresses = [], Content } = parsed.data;
  const { ToAddresses = [], CcAddresses = [], BccAddresses = [] } = Destination;
  // Sorts by time, like the names of the files.
  const id = `${Date.now().toString(16).padStart(12, "0")}-${randomUUID()}`;
  if (Content.Raw) {
    const raw = Buffer.from(Content.Raw.Data, "base64");
    const email = await PostalMime.parse(raw);
    const named = [...ToAddresses, ...CcAddresses, ...BccAddresses];
    const recipients = named.length > 0 ? named : recipientsOf(email);
    if (recipients.length === 0) throw new Error("The mail names no recipient.");
    return { id, from: FromEmailAddress ?? addressText(email.from), recipients, raw };
  }
  if (!Content.Simple) throw new Error("Only Simple and Raw content is understood here; templates are not.");
  if (!FromEmailAddress) throw new Error("FromEmailAddress is missing.");
  const recipients = [...ToAddresses, ...CcAddresses, ...BccAddresses];
  if (recipients.length === 0) throw new Error("The mail names no recipient.");
  const { Subject, Body, Headers = [] } = Content.Simple;
  const headers: [string, string][] = [
    ["From", encodeAddress(FromEmailAddress)],
    ["To", ToAddresses.map(encodeAddress).join(", ")],
    ["Cc", CcAddresses.map(encodeAddress).join(", ")],
    ["Reply-To", ReplyToAddresses.map(encodeAddress).join(", ")],
    ["Subject", encodeWord(Subject.Data)],
    ["Date", new Date().toUTCString().replace("GMT", "+0000")],
    ["Message-ID", `<${id}@email.local>`],
    ["MIME-Version", "1.0"],
    ...Headers.map(({ Name, Value }): [string, string] => [Name, encodeWord(Value)]),
  ];
  return {
    id,
    from: FromEmailAddress,
    recipients,
    raw: compose(
      headers.filter(([, value]) => value !== ""),
      Body.Text?.Data,
      Body.Html?.Data,
    ),
  };
}

function recipientsOf({ to = [], cc = [], bcc = [] }: Email): string[] {
  return [...to, ...cc, ...bcc].flatMap((entry) =>
    entry.address ? [entry.address] : (entry.group ?? []).map(({ address }) => address),
  );
}

function addressText(address: Address | undefined): string {
  if (!address) return "";
  return address.name ? `${address.name} <${address.address ?? ""}>` : (address.address ?? "");
}

function compose(headers: [string, string][], text: string | undefined, html: string | undefined): Buffer {
  const head = headers.map(([name, value]) => `${name}: ${value}`).join("\r\n");
  const part = (type: string, body: string) =>
    `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${wrap(Buffer.from(body).toString("base64"))}\r\n`;
  if (text !== undefined && html !== undefined) {
    const boundary = randomUUID();
    const parts = [part("text/plain", text), part("text/html", html)];
    return Buffer.from(
      `${head}\r\nContent-Type: multipart/alternative; boundary="${boundary}"\r\n\r\n` +
        parts.map((body) => `--${boundary}\r\n${body}`).join("") +
        `--${boundary}--\r\n`,
    );
  }
  return Buffer.from(
    `${head}\r\n${html === undefined ? part("text/plain", text ?? "") : part("text/html", html)}`,
  );
}

const wrap = (base64: string) => base64.replaceAll(/.{76}/g, "$&\r\n");

/** RFC 2047, in pieces that fit a line and never cut a character. */
function encodeWord(value: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly the characters that may stand in a header as they are
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  const words: string[] = [];
  let word = "";
  for (const character of value) {
    if (Buffer.byteLength(word + character) > 42) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  words.push(word);
  return words.map((piece) => `=?UTF-8?B?${Buffer.from(piece).toString("base64")}?=`).join("\r\n ");
}

function encodeAddress(address: string): string {
  const named = /^\s*"?(.*?)"?\s*<([^>]*)>\s*$/.exec(address);
  return named ? `${encodeWord(named[1]!)} <${named[2]}>` : address;
}

/** The bare address in `名前 <a@example.com>`. */
function bare(address: string): string {
  return (/<([^>]*)>\s*$/.exec(address)?.[1] ?? address).trim().toLowerCase();
}

/** The rules that receive a mail, each with the recipients that it matched (SES: address, domain, `.subdomains`). */
export function rulesFor(
  rules: MailRule[],
  recipients: string[],
): { rule: MailRule; recipients: string[] }[] {
  const matched: { rule: MailRule; recipients: string[] }[] = [];
  for (const rule of rules) {
    const mine = recipients.map(bare).filter((address) => {
      const domain = address.split("@")[1] ?? "";
      return rule.recipients.some((pattern) => {
        const wanted = pattern.toLowerCase();
        if (wanted.includes("@")) return wanted === address;
        return wanted.startsWith(".") ? domain.endsWith(wanted) : domain === wanted;
      });
    });
    if (mine.length > 0) matched.push({ rule, recipients: mine });
  }
  return matched;
}

/** The event that SES hands to a function when it has received a mail. */
export async function sesEvent(mail: Envelope, recipients: string[], functionArn: string): Promise<unknown> {
  const email = await PostalMime.parse(mail.raw);
  const timestamp = new Date().toISOString();
  const pass = { status: "PASS" };
  const header = (name: string) => email.headers.find(({ key }) => key === name)?.value;
  return {
    Records: [
      {
        eventSource: "aws:ses",
        eventVersion: "1.0",
        ses: {
          mail: {
            timestamp,
            source: bare(mail.from),
            messageId: mail.id,
            destination: mail.recipients.map(bare),
            headersTruncated: false,
            headers: email.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
            commonHeaders: {
              returnPath: bare(mail.from),
              from: [header("from") ?? mail.from],
              date: header("date"),
              to: header("to") ? [header("to")] : mail.recipients,
              messageId: header("message-id"),
              subject: email.subject,
            },
          },
          receipt: {
            timestamp,
            processingTimeMillis: 1,
            recipients,
            spamVerdict: pass,
            virusVerdict: pass,
            spfVerdict: pass,
            dkimVerdict: pass,
            dmarcVerdict: pass,
            action: { type: "Lambda", functionArn, invocationType: "Event" },
          },
        },
      },
    ],
  };
}
