import https, { type RequestOptions } from "node:https";
import { EventEmitter } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

// Runs in a process of its own: `node lambda-host.ts <folder> <file.export> [event as JSON]`. Without an event it only says
// what the handler is; with one it calls the handler, and passes on what a custom resource sends to its ResponseURL.
const [, , folder = "", handler = "", event] = process.argv;
const dot = handler.lastIndexOf(".");
const [file, name] = [handler.slice(0, dot), handler.slice(dot + 1)];

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

function say(message: unknown): void {
  process.send?.(message);
}

async function find(): Promise<Handler | undefined> {
  const path = [".js", ".cjs", ".mjs"]
    .map((extension) => join(folder, file + extension))
    .find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error(`the archive has no file for the handler ${handler}`);
  // CommonJS is found with NODE_PATH, as Lambda finds its own clients; ES modules carry theirs with them.
  const loaded = path.endsWith(".mjs")
    ? ((await import(pathToFileURL(path).href)) as object)
    : (createRequire(path)(path) as object);
  return (loaded as Record<string, Handler>)[name];
}

/** Custom resources answer to a signed URL of S3 on port 443, which nothing here can be: caught instead. */
function catchAnswer(): void {
  https.request = ((_options: RequestOptions) => {
    const request = new EventEmitter() as EventEmitter & { write(): void; end(body: string): void };
    request.write = () => undefined;
    request.end = (body) => {
      say({ answer: body });
      setImmediate(() =>
        request.emit("response", { statusCode: 200, resume: () => undefined, on: () => undefined }),
      );
    };
    return request;
  }) as unknown as typeof https.request;
}

async function main(): Promise<void> {
  if (event !== undefined) catchAnswer();
  const found = await find();
  if (typeof found !== "function") throw new Error(`${file} exports no ${name}`);
  if (event === undefined)
    say({ async: found.constructor.name === "AsyncFunction", parameters: found.length });
  else
    await found(JSON.parse(event), {
      logStreamName: "offline",
      logGroupName: "offline",
      functionName: "offline",
    });
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    process.stderr.write(String((error as Error).stack));
    process.exit(1);
  },
);
