import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { RetryAfter } from "worker";
import { MailRefused, type Mailer, sesMailer } from "./mailer.ts";
import { sesEndpoint } from "./ses-endpoint.ts";

let endpoint: Awaited<ReturnType<typeof sesEndpoint>>;
let mailer: Mailer;

beforeAll(async () => {
  endpoint = await sesEndpoint();
  mailer = sesMailer({ ses: endpoint.ses, from: "noren@noren.example" });
});
beforeEach(() => endpoint.reset());
afterAll(() => endpoint.close());

const mail = {
  to: "yamada@example.com",
  fromName: "のれん堂",
  subject: "ご注文を承りました",
  text: "ありがとうございます。\n",
};

test("a mail arrives with its Japanese subject, sender's name and text", async () => {
  expect(await mailer.send({ ...mail, replyTo: "shop@noren-do.example" })).toBe("ses-1");
  expect(endpoint.inbox).toMatchObject([
    {
      from: { name: "のれん堂", address: "noren@noren.example" },
      to: [{ address: "yamada@example.com" }],
      replyTo: [{ address: "shop@noren-do.example" }],
      subject: "ご注文を承りました",
      text: "ありがとうございます。\n",
    },
  ]);
});

test("an address cannot bring a second recipient or a header with it", async () => {
  await mailer.send({ ...mail, to: "a@example.com, b@example.com" }).catch(() => {});
  await mailer.send({ ...mail, to: "a@example.com\r\nBcc: b@example.com" }).catch(() => {});
  for (const { to, bcc } of endpoint.inbox)
    expect([...(to ?? []), ...(bcc ?? [])].length).toBeLessThanOrEqual(1);
});

test("what SES refuses for good is told apart from what may pass", async () => {
  endpoint.answer(
    { status: 400, error: "MessageRejected" },
    { status: 429, error: "TooManyRequestsException" },
    { status: 500, error: "InternalServiceErrorException" },
  );
  const errors = [];
  for (let i = 0; i < 3; i++) errors.push(await mailer.send(mail).catch((error: unknown) => error));
  expect(errors[0]).toBeInstanceOf(MailRefused);
  expect(errors[0]).toMatchObject({ code: "MessageRejected" });
  expect(errors[1]).toBeInstanceOf(RetryAfter);
  expect(errors[2]).toBeInstanceOf(Error);
  expect(errors[2]).not.toBeInstanceOf(MailRefused);
  expect(errors[2]).not.toBeInstanceOf(RetryAfter);
});
