import type { Claim, FactProvider, Sourced } from "./facts.ts";

/** Facts as an example writes them: keys are `<dir> <key>`, patterns are strings, every claim is about everything. */
export interface ExampleFacts {
  values?: Record<string, string>;
  blocks?: Record<string, string>;
  related?: Record<string, string[]>;
  claims?: {
    type: string;
    value: unknown;
    near?: string;
    noun?: string;
    pattern?: string;
    others?: string[];
  }[];
  /** What is wrong with known commands, nothing by default; of the same programs, others do not exist. */
  commands?: Record<string, string>;
  programs?: string[];
}

/** A provider of facts that a test makes up; they all stand on the first line of `facts.yml`. */
export function exampleProvider(facts: ExampleFacts): FactProvider {
  const sourced = <T>(value: T): Sourced<T> => ({ value, file: "facts.yml", line: 1 });
  const find = (values: Record<string, string> = {}, key: string): Sourced<string> | undefined =>
    Object.hasOwn(values, key) ? sourced(values[key] ?? "") : undefined;
  const namesIn = (values: Record<string, string> = {}, dir: string): string[] =>
    Object.keys(values)
      .filter((key) => key.startsWith(`${dir} `))
      .map((key) => key.slice(dir.length + 1));
  return {
    name: "example",
    version: "1",
    inputs: () => [],
    load: () => ({
      value: (key, dir) => find(facts.values, `${dir} ${key}`),
      block: (name, args, dir) => find(facts.blocks, [dir, name, ...args].join(" ")),
      keys: (dir) => ({
        values: namesIn(facts.values, dir),
        blocks: namesIn(facts.blocks, dir).map((name) => ({ name, args: [] })),
      }),
      related: (dir) => facts.related?.[dir] ?? [],
      claims: (facts.claims ?? []).map(
        ({ type, value, near = "", noun = "", pattern = "", others = [] }) =>
          ({
            type,
            truth: sourced(value),
            near: new RegExp(near),
            noun: new RegExp(noun),
            pattern: new RegExp(pattern),
            others: others.map((other) => new RegExp(other)),
            in: ["**"],
          }) as Claim,
      ),
      command: (argv) => {
        const known = facts.commands?.[argv.join(" ")];
        if (!facts.programs?.includes(argv[0] ?? "") || known === "") return undefined;
        const word = argv.length - 1;
        return { kind: "command", message: `Unexpected command \`${argv.join(" ")}\``, word };
      },
    }),
  };
}
