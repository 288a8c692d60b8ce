import { parseDuration } from "./duration.ts";

/**
 * What may stand at a place of a manifest, and how an environment's value replaces it. One table drives the
 * unknown keys, the types and the merge, so that they cannot disagree.
 */
export type Schema = ScalarSchema | ListSchema | MapSchema | DictSchema | EitherSchema | AnySchema;

/** `refuse` says what is wrong with a value of the right type. */
export interface ScalarSchema {
  kind: "string" | "int" | "float" | "bool" | "duration";
  refuse?: (text: string) => string | undefined;
  /** A duration that Copilot computes with; it cuts every other one to whole seconds. */
  exact?: boolean;
}
export interface ListSchema {
  kind: "list";
  of: Schema;
}
/** Known keys. Writing a key of one group of `exclusive` in an environment unsets the keys of the other. */
export interface MapSchema {
  kind: "map";
  keys: Record<string, Schema>;
  exclusive?: [string[], string[]];
  /** Old names of keys: Copilot renames them when it reads, before it merges. */
  renamed?: Record<string, string>;
}
/** Keys of the user's own. `deep`: an environment's map is merged into the base's; otherwise it replaces the value of that key. */
export interface DictSchema {
  kind: "dict";
  of: Schema;
  deep?: boolean;
}
/** One of several forms; the environment's form unsets the other. `sticky` says where Copilot does not do that. */
export interface EitherSchema {
  kind: "either";
  scalar?: ScalarSchema;
  list?: ListSchema;
  map?: MapSchema;
  sticky?: "true-wins" | "map-wins";
}
export interface AnySchema {
  kind: "any";
}

export const any: AnySchema = { kind: "any" };
export const string: ScalarSchema = { kind: "string" };
export const int: ScalarSchema = { kind: "int" };
export const float: ScalarSchema = { kind: "float" };
export const bool: ScalarSchema = { kind: "bool" };
export const duration: ScalarSchema = { kind: "duration" };
export const exactDuration: ScalarSchema = { kind: "duration", exact: true };
export const listOf = (of: Schema): ListSchema => ({ kind: "list", of });
export const dictOf = (of: Schema, deep = false): DictSchema => ({ kind: "dict", of, deep });
export const map = (keys: Record<string, Schema>, exclusive?: [string[], string[]]): MapSchema => {
  return exclusive ? { kind: "map", keys, exclusive } : { kind: "map", keys };
};
export const either = (forms: Omit<EitherSchema, "kind">): EitherSchema => ({ kind: "either", ...forms });
/** An IPv4 or IPv6 range. */
export const cidr: ScalarSchema = {
  kind: "string",
  refuse: (text) => (/^[\da-f.:]+\/\d{1,3}$/i.test(text) ? undefined : "must be a range like 10.0.0.0/16"),
};
export const strings = listOf(string);
export const stringOrList = either({ scalar: string, list: strings });

export function oneOf(...values: string[]): ScalarSchema {
  const refuse = (text: string) => {
    return values.some((value) => value.toLowerCase() === text.toLowerCase())
      ? undefined
      : `must be one of ${values.join(", ")}`;
  };
  return { kind: "string", refuse };
}

export function intBetween(min: number, max: number, what: string): ScalarSchema {
  const refuse = (text: string) =>
    Number(text) >= min && Number(text) <= max ? undefined : `must be between ${min} and ${max}: ${what}`;
  return { kind: "int", refuse };
}

/** `min` and `max` as Go durations. */
export function durationBetween(min: string, max: string, what: string): ScalarSchema {
  const low = parseDuration(min) ?? 0;
  const high = parseDuration(max) ?? 0;
  const refuse = (text: string) => {
    const seconds = parseDuration(text) ?? 0;
    return seconds >= low && seconds <= high ? undefined : `must be between ${min} and ${max}: ${what}`;
  };
  return { kind: "duration", refuse };
}
