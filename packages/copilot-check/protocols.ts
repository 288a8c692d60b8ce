import type { Values } from "./template.ts";

/** What answers calls, by the name of their operation. */
export type Answers = Record<string, (input: Values) => unknown>;

/** An AWS call, whatever the protocol it came in. */
export interface Call {
  protocol: "query" | "json" | "s3" | "rest";
  host: string;
  operation: string;
  input: Values;
  /** S3 only: `bucket/key`, and the object. */
  object?: { key: string; body: Buffer };
}

export interface Answer {
  status: number;
  type: string;
  body: string | Buffer;
}

/** What a service answers when it refuses; encoded as the caller's protocol has it. */
export class ServiceError extends Error {
  override name = "ServiceError";
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export interface RawRequest {
  method: string;
  host: string;
  /** Path and query. */
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** The protocols that Copilot speaks: AWS query (XML), JSON 1.1, S3; Route 53's REST with XML answers as query does. */
export function protocolOf(host: string, headers: RawRequest["headers"]): Call["protocol"] {
  if (bucketOf(host)) return "s3";
  return typeof headers["x-amz-target"] === "string" ? "json" : "query";
}

/** Which call a request is. Throws a ServiceError that says what cannot be read of it. */
export function decode(raw: RawRequest): Call {
  try {
    return read(raw);
  } catch (error) {
    const { method, host, url } = raw;
    throw new ServiceError(
      "SerializationException",
      `The stand-in for AWS cannot read ${method} ${url} of ${host}: ${(error as Error).message}`,
    );
  }
}

const bucketOf = (host: string): RegExpExecArray | null => /^(?:([^.]+)\.)?s3[.-]/.exec(host);

function read({ method, host, url, headers, body }: RawRequest): Call {
  const bucket = bucketOf(host);
  if (bucket) {
    const path = decodeURIComponent(url.split("?")[0] ?? "");
    const key = bucket[1] === undefined ? path.slice(1) : bucket[1] + path;
    const content = /aws-chunked/.test(String(headers["content-encoding"])) ? unchunked(body) : body;
    return { protocol: "s3", host, operation: `${method} object`, input: {}, object: { key, body: content } };
  }
  const route = routeOf(method, url);
  if (route) {
    const [operation, input] = route;
    return { protocol: "rest", host, operation, input: { ...input, ...fromXml(body.toString()) } };
  }
  const target = headers["x-amz-target"];
  if (typeof target === "string") {
    const operation = target.slice(target.lastIndexOf(".") + 1);
    const input: unknown = JSON.parse(body.toString() || "{}");
    if (input === null || typeof input !== "object" || Array.isArray(input))
      throw new Error("its body is no JSON object.");
    return { protocol: "json", host, operation, input: input as Values };
  }
  const fields = new URLSearchParams(body.toString());
  return {
    protocol: "query",
    host,
    operation: fields.get("Action") ?? `${method} ${url}`,
    input: nested(fields),
  };
}

/** What a checksum follows is sent in pieces, each below a line with its length in hexadecimal digits. */
function unchunked(body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const end = body.indexOf("\r\n", at);
    const length = Number.parseInt(body.toString("latin1", at, end), 16);
    if (end < 0 || !(length > 0)) break;
    pieces.push(body.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
  return Buffer.concat(pieces);
}

const entities = [
  ["&quot;", '"'],
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&amp;", "&"],
] as const;

/** Route 53's calls that Copilot and its scripts make, by method and path; its version is the first part of the path. */
const routes: [method: string, path: RegExp, operation: string][] = [
  ["GET", /^hostedzonesbyname$/, "ListHostedZonesByName"],
  ["GET", /^hostedzone\/(?<HostedZoneId>[^/]+)\/rrset\/?$/, "ListResourceRecordSets"],
  ["POST", /^hostedzone\/(?<HostedZoneId>[^/]+)\/rrset\/?$/, "ChangeResourceRecordSets"],
  ["GET", /^change\/(?<Id>[^/]+)$/, "GetChange"],
];

function routeOf(method: string, url: string): [operation: string, input: Values] | undefined {
  const { pathname, searchParams } = new URL(url, "http://route53");
  const version = "/2013-04-01/";
  if (!pathname.startsWith(version)) return undefined;
  for (const [verb, pattern, operation] of routes) {
    const match = verb === method ? pattern.exec(pathname.slice(version.length)) : null;
    if (match) return [operation, { ...Object.fromEntries(searchParams), ...match.groups }];
  }
  return [`${method} ${pathname}`, {}];
}

/** A document as SDKs write it: elements without attributes below the root; `<Changes><Change>…</Change></Changes>` is a list. */
function fromXml(document: string): Values {
  const root = /<(\w+)[^>]*>([\s\S]*)<\/\1>\s*$/.exec(document);
  return root ? (elementOf("", root[2] ?? "") as Values) : {};
}

function elementOf(name: string, text: string): unknown {
  const children = [...text.matchAll(/<(\w+)>([\s\S]*?)<\/\1>/g)].map(
    ([, child = "", inner = ""]) => [child, elementOf(child, inner)] as const,
  );
  if (children.length === 0)
    return entities.reduce((plain, [entity, char]) => plain.replaceAll(entity, char), text);
  return children.every(([child]) => `${child}s` === name)
    ? children.map(([, value]) => value)
    : Object.fromEntries(children);
}

/** `Tags.member.1.Key=a` → `{ Tags: [{ Key: "a" }] }`. */
function nested(fields: URLSearchParams): Values {
  const root = Object.create(null) as Values;
  for (const [name, value] of fields) {
    const steps = name.split(".").filter((step) => step !== "member");
    let place = root;
    for (const step of steps.slice(0, -1)) {
      const inner = (place[step] ??= Object.create(null)) as unknown;
      if (typeof inner === "string") throw new Error(`${name} is below a field that has a value.`);
      place = inner as Values;
    }
    place[steps.at(-1) ?? name] = value;
  }
  return listed(root) as Values;
}

/** Maps whose keys are 1, 2, 3 … are lists. */
function listed(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(([key, item]) => [key, listed(item)] as const);
  const isList = entries.length > 0 && entries.every(([key]) => /^\d+$/.test(key));
  return isList
    ? entries.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, item]) => item)
    : Object.fromEntries(entries);
}

/** A result, or a refusal, in the caller's protocol: an answer in another one would be retried for seconds. */
export function encode(call: Pick<Call, "protocol" | "operation">, result: unknown): Answer {
  if (result instanceof ServiceError) return refusal(call, result);
  if (call.protocol === "json")
    return { status: 200, type: "application/x-amz-json-1.1", body: JSON.stringify(result ?? {}) };
  if (call.protocol === "s3") {
    const body = Buffer.isBuffer(result) ? result : "";
    return { status: 200, type: "application/octet-stream", body };
  }
  const { operation } = call;
  if (call.protocol === "rest")
    return {
      status: 200,
      type: "text/xml",
      body: `<${operation}Response>${xml(result, true)}</${operation}Response>`,
    };
  const body = `<${operation}Response><${operation}Result>${xml(result)}</${operation}Result><ResponseMetadata><RequestId>offline</RequestId></ResponseMetadata></${operation}Response>`;
  return { status: 200, type: "text/xml", body };
}

function refusal({ protocol }: Pick<Call, "protocol">, { code, message, status }: ServiceError): Answer {
  if (protocol === "json") {
    const body = JSON.stringify({ __type: code, message });
    return { status, type: "application/x-amz-json-1.1", body };
  }
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escape(message)}</Message></Error>`;
  if (protocol === "s3") return { status, type: "application/xml", body: error };
  const body = `<ErrorResponse>${error}<RequestId>offline</RequestId></ErrorResponse>`;
  return { status, type: "text/xml", body };
}

/** @param plural members of a list are called like the list, without its s; else `member` */
function xml(value: unknown, plural = false, name = ""): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) {
    const member = plural ? name.replace(/s$/, "") : "member";
    return value.map((item) => `<${member}>${xml(item, plural)}</${member}>`).join("");
  }
  if (typeof value === "object")
    return Object.entries(value)
      .filter(([, item]) => item !== undefined && item !== null)
      .map(([key, item]) => `<${key}>${xml(item, plural, key)}</${key}>`)
      .join("");
  return escape(typeof value === "string" ? value : JSON.stringify(value));
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
