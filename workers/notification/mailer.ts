import { SendEmailCommand, type SESv2Client } from "@aws-sdk/client-sesv2";
import { createTransport } from "nodemailer";
import { RetryAfter } from "worker";

/** A mail in words. The address that it comes from is the mailer's own. */
export type Mail = {
  to: string;
  fromName: string;
  replyTo?: string | undefined;
  subject: string;
  text: string;
};

/** The provider understood the mail and will not send it; sending the same again now cannot help. */
export class MailRefused extends Error {
  override name = "MailRefused";
  readonly code: string;
  constructor(code: string, options?: ErrorOptions) {
    super(`The mail was refused: ${code}.`, options);
    this.code = code;
  }
}

export type Mailer = {
  /** Sends one mail and returns the provider's id for it. Throws MailRefused, RetryAfter when told to slow down, or a plain error. */
  send(mail: Mail): Promise<string>;
};

const refusals = new Set([
  "MessageRejected",
  "MailFromDomainNotVerifiedException",
  "AccountSuspendedException",
  "SendingPausedException",
  "BadRequestException",
  "NotFoundException",
]);
const slowDown = new Set(["TooManyRequestsException", "LimitExceededException"]);

/** A mailer that sends raw MIME by SES from one verified address. */
export function sesMailer({ ses, from }: { ses: SESv2Client; from: string }): Mailer {
  const transport = createTransport({ SES: { sesClient: ses, SendEmailCommand } });
  return {
    async send({ to, fromName, replyTo, subject, text }) {
      try {
        const sent = await transport.sendMail({
          from: { name: fromName, address: from },
          // As an object, so that nothing in the address can add a second recipient.
          to: { name: "", address: to },
          ...(replyTo ? { replyTo } : {}),
          subject,
          text,
        });
        return sent.response;
      } catch (error) {
        throw classified(error);
      }
    },
  };
}

function classified(error: unknown): unknown {
  const name = error instanceof Error ? error.name : "";
  if (refusals.has(name)) return new MailRefused(name, { cause: error });
  if (slowDown.has(name)) return new RetryAfter(5, "SES asked to slow down.", { cause: error });
  return error;
}
