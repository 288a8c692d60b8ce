import { request as plainRequest } from "node:http";
import { request } from "node:https";
import { connect as connectTcp } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { decode, encode, ServiceError } from "./protocols.ts";
import { standIn, unknownCall, type Account } from "./stand-in.ts";

const account: Account = {
  answer: (call) => {
    if (call.operation === "Broken") throw new Error("a bug");
    if (call.operation === "Unknown") throw unknownCall(call);
    return { Got: call.input, Object: call.object?.key };
  },
};

async function running() {
  const aws = await standIn(account, "ap-northeast-1");
  onTestFinished(() => aws.close());
  return aws;
}

/** A request through the proxy, as an AWS client that trusts only the stand-in's certificate sends it. */
async function through(
  aws: Awaited<ReturnType<typeof running>>,
  host: string,
  headers: Record<string, string>,
  body: string,
  path = "/",
) {
  const proxy = new URL(aws.proxy);
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const tunnel = plainRequest({
      host: proxy.hostname,
      port: proxy.port,
      method: "CONNECT",
      path: `${host}:443`,
    });
    tunnel.once("connect", (_response, raw) => {
      const secure = connect({ socket: raw, servername: host, ca: aws.cert }, () => resolve(secure));
      secure.once("error", reject);
    });
    tunnel.once("error", reject);
    tunnel.end();
  });
  return new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const call = request(
      { host, path, method: "POST", headers, createConnection: () => socket },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => (socket.destroy(), resolve({ status: response.statusCode, text })));
      },
    );
    call.once("error", reject);
    call.end(body);
  });
}

test("ends TLS for every AWS host of the region with a certificate that a client can verify", async () => {
  const aws = await running();
  for (const host of [
    "sts.ap-northeast-1.amazonaws.com",
    "iam.amazonaws.com",
    "bucket.s3.ap-northeast-1.amazonaws.com",
    "api.ecr.ap-northeast-1.amazonaws.com",
  ])
    expect(await through(aws, host, {}, "Action=Hello")).toMatchObject({ status: 200 });
  await expect(through(aws, "example.com", {}, "")).rejects.toThrow("altnames");
});

test("speaks the query protocol: nested fields in, XML out", async () => {
  const answer = await through(
    await running(),
    "cloudformation.ap-northeast-1.amazonaws.com",
    {},
    "Action=CreateStack&Tags.member.1.Key=a&Tags.member.1.Value=%3C",
  );
  expect(answer.text).toContain(
    "<CreateStackResult><Got><Action>CreateStack</Action><Tags><member><Key>a</Key><Value>&lt;</Value></member></Tags></Got>",
  );
});

test("speaks JSON 1.1, and refuses in the caller's protocol", async () => {
  const aws = await running();
  const json = (operation: string) =>
    through(
      aws,
      "ssm.ap-northeast-1.amazonaws.com",
      { "x-amz-target": `AmazonSSM.${operation}` },
      '{"Name":"x"}',
    );
  expect(await json("GetParameter")).toMatchObject({ status: 200, text: '{"Got":{"Name":"x"}}' });
  expect(await json("Unknown")).toEqual({
    status: 400,
    text: expect.stringMatching(
      /^\{"__type":"InvalidAction","message":"The stand-in for AWS does not know Unknown of ssm/,
    ),
  });
  const query = await through(aws, "iam.amazonaws.com", {}, "Action=Unknown");
  expect(query).toMatchObject({ status: 400, text: expect.stringContaining("<Code>InvalidAction</Code>") });
});

test("answers a bug of its own with a 4xx, which nobody retries", async () => {
  const answer = await through(await running(), "iam.amazonaws.com", {}, "Action=Broken");
  expect(answer).toMatchObject({ status: 400, text: expect.stringContaining("Error: a bug") });
});

test("answers what it cannot read with a 400 in the caller's protocol that says why, and lives on", async () => {
  const aws = await running();
  const json = { "x-amz-target": "AmazonSSM.GetParameter" };
  const ssm = "ssm.ap-northeast-1.amazonaws.com";
  expect(await through(aws, ssm, json, "{")).toEqual({
    status: 400,
    text: expect.stringMatching(
      /^\{"__type":"SerializationException","message":"The stand-in for AWS cannot read POST \/ of ssm.*JSON/,
    ),
  });
  expect(await through(aws, ssm, json, "[1]")).toMatchObject({
    status: 400,
    text: expect.stringContaining("its body is no JSON object"),
  });
  const query = await through(aws, "iam.amazonaws.com", {}, "Action=A&Tags=1&Tags.member.1=b");
  expect(query).toMatchObject({
    status: 400,
    text: expect.stringMatching(/^<ErrorResponse>.*Tags.member.1 is below a field that has a value/),
  });
  expect(await through(aws, "bucket.s3.ap-northeast-1.amazonaws.com", {}, "", "/%zz")).toMatchObject({
    status: 400,
    text: expect.stringMatching(/^<Error>.*URI malformed/),
  });
  expect(await through(aws, "iam.amazonaws.com", {}, "", "//")).toMatchObject({
    status: 400,
    text: expect.stringContaining("Invalid URL"),
  });
  expect(aws.calls.map(({ operation, status }) => [operation, status])).toContainEqual(["POST //", 400]);
  expect(await through(aws, ssm, json, "{}")).toMatchObject({ status: 200 });
});

test("a field that is called like what every object has changes none but its own call", async () => {
  const answer = await through(
    await running(),
    "iam.amazonaws.com",
    {},
    "Action=A&__proto__.member.polluted=1&constructor.prototype.polluted=1",
  );
  expect(answer.status).toBe(200);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("clients that speak no HTTP, no TLS, or go away in the middle do not hurt the others", async () => {
  const aws = await running();
  /** Says it and hangs up: rudely as soon as something is answered, or at once. */
  const say = (url: string, text: string, { wait }: { wait: boolean }) =>
    new Promise<void>((resolve) => {
      const { hostname, port } = new URL(url);
      const socket = connectTcp(Number(port), hostname, () => {
        socket.write(text, () => void (wait || socket.resetAndDestroy()));
      });
      socket.once("data", () => socket.resetAndDestroy());
      socket.on("error", () => {});
      socket.once("close", () => resolve());
    });
  const half = "POST / HTTP/1.1\r\nhost: iam.amazonaws.com\r\ncontent-length: 100\r\n\r\nAction=";
  await say(aws.endpoint, "\u0000\u0001 nonsense\r\n\r\n", { wait: true });
  await say(aws.endpoint, half, { wait: false });
  await say(aws.proxy, "GET / HTTP/1.1\r\nhost: x\r\n\r\n", { wait: true });
  await say(aws.proxy, "CONNECT iam.amazonaws.com:443 HTTP/1.1\r\n\r\n", { wait: true });
  await say(aws.proxy, "CONNECT iam.amazonaws.com:443 HTTP/1.1\r\n\r\nno TLS at all\r\n", { wait: false });
  expect(await through(aws, "iam.amazonaws.com", {}, "Action=Hello")).toMatchObject({ status: 200 });
});

test("finds the bucket of an S3 call in the host or in the path", () => {
  const s3 = (host: string, url: string) =>
    decode({ method: "PUT", host, url, headers: {}, body: Buffer.from("x") }).object?.key;
  expect(s3("bucket.s3.ap-northeast-1.amazonaws.com", "/a%20b?x-id=PutObject")).toBe("bucket/a b");
  expect(s3("s3.ap-northeast-1.amazonaws.com", "/bucket/a")).toBe("bucket/a");
});

test("an object that is sent in pieces with a checksum is put together", () => {
  const body = Buffer.from("5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n");
  const headers = { "content-encoding": "aws-chunked" };
  const call = decode({
    method: "PUT",
    host: "bucket.s3.ap-northeast-1.amazonaws.com",
    url: "/a",
    headers,
    body,
  });
  expect(call.object?.body.toString()).toBe("hello world");
});

test("an S3 refusal is S3's own XML", () => {
  const { status, body } = encode(
    { protocol: "s3", operation: "HEAD object" },
    new ServiceError("NoSuchKey", "k", 404),
  );
  expect({ status, body: body.toString() }).toEqual({
    status: 404,
    body: expect.stringMatching(/^<Error>.*<Code>NoSuchKey/),
  });
});

test("speaks Route 53's REST: calls by their path, XML in and out", () => {
  const rest = (method: string, url: string, body = "") =>
    decode({ method, host: "route53.amazonaws.com", url, headers: {}, body: Buffer.from(body) });
  expect(rest("GET", "/2013-04-01/hostedzonesbyname?dnsname=shop.example")).toMatchObject({
    operation: "ListHostedZonesByName",
    input: { dnsname: "shop.example" },
  });
  const change = rest(
    "POST",
    "/2013-04-01/hostedzone/Z0/rrset/",
    '<?xml version="1.0"?><ChangeResourceRecordSetsRequest xmlns="x"><ChangeBatch><Changes><Change><Action>UPSERT</Action><ResourceRecordSet><Name>a&amp;b</Name><ResourceRecords><ResourceRecord><Value>1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>',
  );
  expect(change.operation).toBe("ChangeResourceRecordSets");
  expect(change.input).toEqual({
    HostedZoneId: "Z0",
    ChangeBatch: {
      Changes: [{ Action: "UPSERT", ResourceRecordSet: { Name: "a&b", ResourceRecords: [{ Value: "1" }] } }],
    },
  });
  expect(encode(change, { HostedZones: [{ Id: "/hostedzone/Z0" }] }).body).toBe(
    "<ChangeResourceRecordSetsResponse><HostedZones><HostedZone><Id>/hostedzone/Z0</Id></HostedZone></HostedZones></ChangeResourceRecordSetsResponse>",
  );
});
