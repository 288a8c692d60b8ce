import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { LocalFunction } from "./local-addons.ts";
import { UserError } from "./user-error.ts";

/** The file and export that a function's handler means in the source tree. */
export interface Handler {
  /** The package's folder, absolute. */
  directory: string;
  entry: string;
  exportName: string;
}

/**
 * Finds the source of a Lambda: its package is the nearest folder above `Code` that has a package.json, its entry the
 * handler's module there as source, else in the built folder itself.
 */
export function handlerOf(root: string, fn: LocalFunction): Handler {
  const code = join(root, fn.code);
  const [module, exportName] = splitHandler(fn.handler);
  let directory = code;
  while (!existsSync(join(directory, "package.json")) && directory !== root)
    directory = join(directory, "..");
  const candidates = [directory, code].flatMap((folder) =>
    ["ts", "mts", "mjs", "js", "cjs"].map((extension) => join(folder, `${module}.${extension}`)),
  );
  const entry = candidates.find((file) => existsSync(file));
  if (!entry) {
    throw new UserError(
      `${fn.at.file}:${fn.at.line}:${fn.at.column} function ${fn.name}: no source for handler "${fn.handler}".`,
      `Looked for ${module}.ts and ${module}.mjs in ${relative(root, directory) || "."} and ${fn.code}.`,
    );
  }
  return { directory, entry, exportName };
}

function splitHandler(handler: string): [string, string] {
  const dot = handler.lastIndexOf(".");
  return dot < 0 ? [handler, "handler"] : [handler.slice(0, dot), handler.slice(dot + 1)];
}

/** How to start the function as a process that answers on `port`. */
export function functionProcess(
  fn: LocalFunction,
  handler: Handler,
  port: number,
  base: Record<string, string>,
): { command: string[]; variables: Record<string, string> } {
  return {
    command: [
      "node",
      fileURLToPath(new URL("function-host.ts", import.meta.url)),
      handler.entry,
      handler.exportName,
    ],
    variables: {
      ...base,
      AWS_LAMBDA_FUNCTION_NAME: fn.name,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_TIMEOUT: String(fn.timeoutSeconds),
      _HANDLER: fn.handler,
      LAMBDA_TASK_ROOT: handler.directory,
      LOCAL_FUNCTION_PORT: String(port),
      LOCAL_FUNCTION_ARN: fn.arn,
      ...fn.variables,
    },
  };
}

/**
 * Invokes a function once, as a synchronous call. Throws with the function's own error, also when it takes longer than
 * its time-out or is not running.
 */
export async function invoke(fn: LocalFunction, port: number, event: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`http://127.0.0.1:${port}/2015-03-31/functions/${fn.name}/invocations`, {
      method: "POST",
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(fn.timeoutSeconds * 1000),
    });
  } catch (error) {
    const late = (error as Error).name === "TimeoutError";
    throw new Error(late ? `timed out after ${fn.timeoutSeconds} s` : "is not running", { cause: error });
  }
  const result = (await response.json()) as { errorType?: string; errorMessage?: string } | null;
  if (response.headers.has("x-amz-function-error")) {
    throw new Error(`${result?.errorType ?? "Error"}: ${result?.errorMessage ?? "no message"}`);
  }
  return result;
}
