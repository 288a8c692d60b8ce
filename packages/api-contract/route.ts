import type { z } from "zod";

/** One operation of backend-api: where it is, what it takes, what it answers. Paths are written as OpenAPI writes them. */
export type Route = {
  method: "get" | "post";
  path: string;
  summary: string;
  /** Who may call it: the till (`pos`), the storefront (`ec`), or anybody without a token. */
  for: "pos" | "ec" | "anyone";
  /**
   * What the service token must name before the handler runs: nothing yet (the caller is about to find out), the company,
   * or the company with the staff member, store and register.
   */
  scope: "none" | "company" | "staff";
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodObject;
  answer: z.ZodType;
  /** The status of a successful answer. */
  status: 200 | 201;
  /**
   * A write that must happen once takes an `Idempotency-Key`. `"header"`: the caller makes one and keeps it over its retries.
   * A field name: that field of the body is the key (the client sends it as the header too). Absent: repeating is harmless.
   */
  once?: string;
};

/** Declares a route and keeps its exact type, so that client and server infer from it. */
export const route = <const R extends Route>(definition: R): R => definition;
