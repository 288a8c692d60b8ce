import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { UserError } from "./user-error.ts";

/** The local meaning of what the manifests leave to AWS; what a value in the configuration may be made of. */
export interface Local {
  root: string;
  application: string;
  environment: string;
  region: string;
  /** The first database cluster among the addons; asking for it when there is none is an error. */
  database: { host: string; port: number; name: string; owner: string };
  /** `http://127.0.0.1:<port>` of a workload, or of a process that is never deployed. */
  url(name: string): string;
  /** The first address that a mail rule of the addons receives for, with `user` before the @ where it names a domain. */
  mailAddress(user?: string): string;
}

export type Value = string | ((local: Local) => string);

/** A command that prepares the data. It runs to its end before any workload starts, at each start. */
export interface SetupCommand {
  name: string;
  /** Folder of its package, relative to the workspace root. */
  directory: string;
  /** Program and arguments; `node` is the Node.js that runs the workloads. */
  command: string[];
  variables?: Record<string, Value>;
  /**
   * Heading on the dashboard for what it writes to stdout: plain lines, and `{"notes":[{"label":"…","value":"…"}]}`.
   * Other lines of JSON are its log.
   */
  notes?: string;
}

/** A process that belongs to the laptop only: the sandbox of a partner, a stand-in for the outside world. */
export interface LocalProcess {
  name: string;
  directory: string;
  /** Default: the package's `start` script. */
  command?: string[];
  /** Default: any free port. The process learns it as PORT. */
  port?: number;
  variables?: Record<string, Value>;
  /** Secrets of the workloads that it knows too, by variable name. */
  secrets?: string[];
  /** Variables of the workloads that lead to it: name → path behind its address. */
  answers?: Record<string, string>;
  /** Path that answers 200 when it can work. Default: ready when the port is open. */
  health?: string;
}

interface Attention {
  what: string;
  /** SQL for the first database that gives one number, or `dead letters`: the messages in all dead-letter queues. */
  count: string;
  command: string;
}

/** What no manifest can say. Lives in `copilot-local.config.ts` beside the `copilot` folder. */
export interface Config {
  /** Default `us-east-1`. */
  region?: string;
  setup?: SetupCommand[];
  processes?: LocalProcess[];
  /** Manifest variables that have another value on a laptop, for every workload that has them. */
  variables?: Record<string, Value>;
  /**
   * SQL for the first database that counts the messages which workloads have put aside in tables of their own: rows of
   * a workload's name and a number. Shown with its queue.
   */
  parked?: string;
  /** What waits for a person, with the command that says more: on top of the dashboard while there is any. */
  attention?: Attention[];
  /** What people call the web apps, for the links on the dashboard. */
  titles?: Record<string, string>;
}

/** Gives the configuration its type; returns it unchanged. */
export function defineConfig(config: Config): Config {
  return config;
}

const value = z.union([z.string(), z.function()]);
const schema = z.strictObject({
  region: z.string().optional(),
  setup: z
    .array(
      z.strictObject({
        name: z.string(),
        directory: z.string(),
        command: z.array(z.string()).min(1),
        variables: z.record(z.string(), value).optional(),
        notes: z.string().optional(),
      }),
    )
    .optional(),
  processes: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z][a-z0-9-]*$/),
        directory: z.string(),
        command: z.array(z.string()).min(1).optional(),
        port: z.int().min(1).max(65_535).optional(),
        variables: z.record(z.string(), value).optional(),
        secrets: z.array(z.string()).optional(),
        answers: z.record(z.string(), z.string()).optional(),
        health: z.string().startsWith("/").optional(),
      }),
    )
    .optional(),
  variables: z.record(z.string(), value).optional(),
  parked: z.string().optional(),
  attention: z.array(z.strictObject({ what: z.string(), count: z.string(), command: z.string() })).optional(),
  titles: z.record(z.string(), z.string()).optional(),
});

/** Reads `copilot-local.config.ts` (or `.js`, `.mjs`) of the root; an absent one is an empty configuration. */
export async function loadConfig(root: string): Promise<Config> {
  const name = ["copilot-local.config.ts", "copilot-local.config.mjs", "copilot-local.config.js"].find(
    (file) => existsSync(join(root, file)),
  );
  if (!name) return {};
  let config: unknown;
  try {
    ({ default: config } = (await import(pathToFileURL(join(root, name)).href)) as { default: unknown });
  } catch (error) {
    throw new UserError(`${name} cannot be loaded: ${(error as Error).message}`, undefined, { cause: error });
  }
  const checked = schema.safeParse(config);
  if (!checked.success) {
    throw new UserError(
      `${name} is not a configuration:\n  ${z.prettifyError(checked.error).replaceAll("\n", "\n  ")}`,
      `Write it as \`export default defineConfig({ … })\` of copilot-local, which says what there is.`,
    );
  }
  return config as Config;
}
