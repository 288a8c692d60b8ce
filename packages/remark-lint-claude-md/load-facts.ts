import picomatch from "picomatch";
import type { Args, Claim, CommandProblem, FactProvider, Sourced } from "./facts.ts";
import type { Project } from "./project.ts";
import { SetUpError } from "./set-up-error.ts";

/** The facts of every provider as one. */
export interface KnownFacts {
  /** There is a provider at all. */
  some: boolean;
  value(key: string, dir: string): Sourced<string> | undefined;
  block(name: string, args: Args, dir: string): Sourced<string> | undefined;
  keys(dir: string): { values: string[]; blocks: { name: string; args: string[] }[] };
  related(dir: string): string[];
  /** Those that are about the document `path`. */
  claims(path: string): Claim[];
  command(argv: string[], dir: string): CommandProblem | undefined;
}

/** No facts at all. */
export const noFacts: KnownFacts = {
  some: false,
  value: () => undefined,
  block: () => undefined,
  keys: () => ({ values: [], blocks: [] }),
  related: () => [],
  claims: () => [],
  command: () => undefined,
};

/**
 * Loads the facts of all providers; of two that know the same key the first wins.
 *
 * @param read the text of a file that git knows, undefined when it cannot be read.
 * @throws SetUpError with what a provider says is wrong.
 */
export function loadFacts(
  providers: readonly FactProvider[],
  project: Project,
  read: (path: string) => string | undefined,
): KnownFacts {
  if (providers.length === 0) return noFacts;
  const loaded = providers.map((provider) => {
    try {
      const inputs = new Set(provider.inputs(project));
      return provider.load((path) => {
        const text = inputs.has(path) ? read(path) : undefined;
        if (text !== undefined) return text;
        throw new Error(
          inputs.has(path) ? `${path} cannot be read` : `${path} is read, but it is not one of the inputs`,
        );
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new SetUpError(`The facts of \`${provider.name}\` cannot be loaded: ${message}`, {
        cause: error,
      });
    }
  });
  const first = <T>(ask: (facts: (typeof loaded)[number]) => T | undefined): T | undefined => {
    for (const facts of loaded) {
      const answer = ask(facts);
      if (answer !== undefined) return answer;
    }
    return undefined;
  };
  const claims = loaded.flatMap((facts) =>
    facts.claims.map((claim) => ({ claim, matches: picomatch(claim.in, { dot: true }) })),
  );
  return {
    some: true,
    value: (key, dir) => first((facts) => facts.value(key, dir)),
    block: (name, args, dir) => first((facts) => facts.block(name, args, dir)),
    keys: (dir) => {
      const keys = loaded.map((facts) => facts.keys?.(dir) ?? { values: [], blocks: [] });
      return {
        values: [...new Set(keys.flatMap(({ values }) => values))],
        blocks: keys.flatMap(({ blocks }) => blocks),
      };
    },
    related: (dir) => [...new Set(loaded.flatMap((facts) => facts.related(dir)))],
    claims: (path) => claims.filter(({ matches }) => matches(path)).map(({ claim }) => claim),
    command: (argv, dir) => first((facts) => facts.command?.(argv, dir)),
  };
}
