import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { UserError } from "./user-error.ts";

/** A variable that a manifest interpolates (`${NAME}`). */
export type VariableSource =
  | string
  | {
      /** What it is while nothing is deployed: rendering and linking take this. */
      example: string;
      /** In a rehearsal: from the exports of what was deployed before. */
      from: (exported: (name: string) => string) => string;
    };

/** What no manifest can say. Lives in `copilot-check.config.ts` beside the `copilot` folder. */
export interface Config {
  /** Default `us-east-1`. */
  region?: string;
  /** The application's domain, if it has one. */
  domain?: string;
  /** The IAM policy that bounds every role of the application (`app init --permissions-boundary`), by its name. */
  permissionsBoundary?: string;
  /** What `${NAME}` in a manifest stands for, beside the two names that Copilot gives. */
  variables?: Record<string, VariableSource>;
  /** Commands that make what the CLI packages as it lies on disk: the code of functions. Run in the root, in this order. */
  prepare?: string[][];
  /** What a quick rehearsal of a pipeline runs instead of a command of its buildspecs, by the command. */
  quick?: Record<string, string>;
  /** The script that makes application and environment and deploys the first time, called with the environment's name. */
  bootstrap?: {
    script: string;
    /** What a person would type when it asks, line by line. */
    answers?: string[];
  };
  /** Workloads that a deployment of everything takes first, in this order: publishers before their subscribers. */
  first?: string[];
  /** Environments whose network another one lives in: they are rehearsed before it. `{ public: ["production"] }` */
  after?: Record<string, string[]>;
  /** Where the expected templates are kept. Default `rendered`. */
  rendered?: string;
  /** Folder with requirements.txt, package.json and exceptions.yml of the check. Default `tools`. */
  tools?: string;
  /** Where programs and results are kept, outside git. Default `.local`. */
  local?: string;
}

/** Gives the configuration its type; returns it unchanged. */
export function defineConfig(config: Config): Config {
  return config;
}

const schema = z.strictObject({
  region: z.string().optional(),
  domain: z.string().optional(),
  permissionsBoundary: z.string().optional(),
  variables: z
    .record(z.string(), z.union([z.string(), z.strictObject({ example: z.string(), from: z.function() })]))
    .optional(),
  prepare: z.array(z.array(z.string()).min(1)).optional(),
  quick: z.record(z.string(), z.string()).optional(),
  bootstrap: z.strictObject({ script: z.string(), answers: z.array(z.string()).optional() }).optional(),
  first: z.array(z.string()).optional(),
  after: z.record(z.string(), z.array(z.string())).optional(),
  rendered: z.string().optional(),
  tools: z.string().optional(),
  local: z.string().optional(),
});

const file = "copilot-check.config.ts";

/** Reads `copilot-check.config.ts` of the root; an absent one is an empty configuration. */
export async function loadConfig(root: string): Promise<Config> {
  if (!existsSync(join(root, file))) return {};
  let config: unknown;
  try {
    ({ default: config } = (await import(pathToFileURL(join(root, file)).href)) as { default: unknown });
  } catch (error) {
    throw new UserError(`${file} cannot be loaded: ${(error as Error).message}`, undefined, { cause: error });
  }
  const checked = schema.safeParse(config);
  if (checked.success) return config as Config;
  throw new UserError(
    `${file} is not a configuration:\n  ${z.prettifyError(checked.error).replaceAll("\n", "\n  ")}`,
    "Write it as `export default defineConfig({ … })` of copilot-check, which says what there is.",
  );
}

/** The examples of all variables, for rendering. */
export function exampleVariables({ variables = {} }: Config): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).map(([name, source]) => [
      name,
      typeof source === "string" ? source : source.example,
    ]),
  );
}
