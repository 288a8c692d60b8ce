import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SESv2Client } from "@aws-sdk/client-sesv2";
import PostalMime, { type Email } from "postal-mime";

type Answer = { status: number; error?: string };

/** For tests: SES's HTTP API on a free port, with a client for it. It keeps the mails that it took, parsed from their raw MIME. */
export async function sesEndpoint() {
  const inbox: Email[] = [];
  let next: Answer[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks = await request.toArray();
      const { status, error } = next.shift() ?? { status: 200 };
      if (status !== 200) {
        response.writeHead(status, { "x-amzn-errortype": error ?? "", "content-type": "application/json" });
        return response.end(JSON.stringify({ message: "refused by the test" }));
      }
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { Content: { Raw: { Data: string } } };
      inbox.push(await PostalMime.parse(Buffer.from(body.Content.Raw.Data, "base64")));
      response.writeHead(200, { "content-type": "application/json" });
      return response.end(JSON.stringify({ MessageId: `ses-${inbox.length}` }));
    })();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const ses = new SESv2Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: "ap-northeast-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 1,
  });
  return {
    ses,
    inbox,
    /** What the next calls are answered; after them everything is taken again. */
    answer: (...answers: Answer[]) => (next = answers),
    reset() {
      inbox.length = 0;
      next = [];
    },
    async close() {
      ses.destroy();
      await new Promise((closed) => server.close(closed).closeAllConnections());
    },
  };
}
