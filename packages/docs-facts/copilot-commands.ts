import tree from "./copilot-commands.json" with { type: "json" };

/** The version of the CLI whose commands these are. */
export const version: string = tree.version;

export interface Flag {
  long: string;
  short: string | undefined;
  takesValue: boolean;
}

/**
 * The commands of the CLI by their words (`svc deploy`; the empty text is `copilot` itself), taken from the real binary
 * by `extract-copilot-commands.ts`.
 */
export const commands: ReadonlyMap<string, readonly Flag[]> = new Map(
  Object.entries(tree.commands as Record<string, string[]>).map(([name, flags]) => [name, flags.map(parse)]),
);

function parse(flag: string): Flag {
  const [, short, long = "", value] = /^(?:(-\w), )?(--[\w-]+)(?: (\w+))?$/.exec(flag) ?? [];
  return { long, short, takesValue: value !== undefined };
}

/** Other names of commands, which no help lists. */
export const aliases: ReadonlyMap<string, string> = new Map([["pipeline update", "pipeline deploy"]]);

/** The words that may follow `path`. */
export function subcommands(path: string): string[] {
  return [...commands.keys()]
    .filter((name) => name !== "" && (path === "" ? !name.includes(" ") : name.startsWith(`${path} `)))
    .map((name) => (path === "" ? name : name.slice(path.length + 1)));
}
