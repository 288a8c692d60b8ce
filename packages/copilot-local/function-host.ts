// Runs one Lambda handler as a process of its own: node function-host.ts <entry file> <export>. Speaks the HTTP that
// AWS's own runtime emulator speaks: POST …/invocations with the event, the result or an error as the answer.
import { randomUUID } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import { pathToFileURL } from "node:url";

const [, , entry = "", name = ""] = process.argv;
const { LOCAL_FUNCTION_PORT, LOCAL_FUNCTION_ARN, AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_FUNCTION_TIMEOUT } =
  process.env;

type Handler = (event: unknown, context: unknown) => unknown;
const module = (await import(pathToFileURL(entry).href)) as Record<string, unknown>;
const handler = (module[name] ?? (module.default as Record<string, unknown> | undefined)?.[name]) as
  | Handler
  | undefined;
if (typeof handler !== "function") {
  console.error(`${entry} exports no function named "${name}".`);
  process.exit(1);
}

const server = createServer((request, response) => {
  if (request.method === "GET") {
    response.end("ok");
    return;
  }
  if (request.headers.origin !== undefined) {
    response.writeHead(403).end();
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    void answer(Buffer.concat(chunks).toString("utf8"), request.headers["x-amzn-requestid"], response);
  });
});

async function answer(event: string, requestId: string | string[] | undefined, response: ServerResponse) {
  const { failed, body } = await invoke(event, requestId);
  response.setHeader("content-type", "application/json");
  if (failed) response.setHeader("x-amz-function-error", "Unhandled");
  response.end(body);
}

async function invoke(event: string, requestId: string | string[] | undefined) {
  const deadline = Date.now() + Number(AWS_LAMBDA_FUNCTION_TIMEOUT ?? 3) * 1000;
  const context = {
    awsRequestId: typeof requestId === "string" ? requestId : randomUUID(),
    functionName: AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: "$LATEST",
    invokedFunctionArn: LOCAL_FUNCTION_ARN,
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    const result = await handler!(JSON.parse(event || "null"), context);
    return { failed: false, body: JSON.stringify(result ?? null) };
  } catch (error) {
    const { name: errorType, message: errorMessage, stack } = error as Error;
    console.error(stack ?? String(error));
    return { failed: true, body: JSON.stringify({ errorType, errorMessage, trace: stack?.split("\n") }) };
  }
}

server.listen(Number(LOCAL_FUNCTION_PORT), "127.0.0.1");
process.on("SIGTERM", () => server.close(() => process.exit(0)));
