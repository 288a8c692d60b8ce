import { distance } from "fastest-levenshtein";
import type { CommandProblem } from "./command-problem.ts";
import type { Model } from "./model.ts";

/**
 * The name of an event in inline code, misspelt by a letter or two. Another name that looks alike (a key, a state, a
 * file) is none of our business.
 */
export function eventProblem(model: Model, words: readonly string[]): CommandProblem | undefined {
  const [word = "", ...more] = words;
  if (more.length > 0 || !/^[a-z][a-z_]*\.[a-z][a-z_]*$/.test(word)) return undefined;
  const known = knownEvents(model);
  if (known.has(word)) return undefined;
  const [aggregate] = word.split(".");
  for (const [type, related] of known)
    if (type.startsWith(`${aggregate}.`) && distance(type, word) <= 2)
      return {
        kind: "event",
        message: `Unexpected event \`${word}\`, expected \`${type}\``,
        actual: word,
        expected: [type],
        related,
        word: 0,
      };
  return undefined;
}

/** The events that code defines, and those that a subscription asks for. */
function knownEvents({ events, workloads, sourced }: Model): Map<string, string> {
  const known = new Map<string, string>();
  for (const { any } of workloads)
    for (const { filterPolicy = {}, at } of [any.queue, ...any.topicQueues].flatMap(
      (queue) => queue?.subscriptions ?? [],
    ))
      for (const value of Object.values(filterPolicy).flat())
        if (typeof value === "string") {
          const { file, line } = sourced(value, at);
          known.set(value, `${file}:${line}`);
        }
  for (const { type, file, line } of events) known.set(type, `${file}:${line}`);
  return known;
}
