import type { RouteName, Routes, ServiceClaims } from "@noren/api-contract";
import type { Database, Tx } from "@noren/database";
import type { Logger } from "@noren/service";
import type { z } from "zod";

/** Who a request is made for, as far as the route demands it. Comes from the service token alone. */
export type CompanyCaller = ServiceClaims & { companyId: string };
type StaffCaller = CompanyCaller & { storeId: string; registerId: string; staffId: string };

type Part<R, K extends string> =
  R extends Record<K, infer T extends z.ZodType> ? { [P in K]: z.output<T> } : unknown;

/**
 * What an operation gets. One with scope `none` gets the database, because no company is known yet; every other gets a
 * transaction in which only its company's rows exist, and which is committed after it has answered.
 */
type Scoped<R> = R extends { scope: "none" }
  ? { database: Database }
  : R extends { scope: "company" }
    ? { caller: CompanyCaller; tx: Tx }
    : { caller: StaffCaller; tx: Tx };

type Ask<N extends RouteName> = Part<Routes[N], "params"> &
  Part<Routes[N], "query"> &
  Part<Routes[N], "body"> &
  Scoped<Routes[N]> & { services: Services };

/** What all operations share. */
export type Services = {
  log: Logger;
  /** The key of the service tokens; other secrets are derived from it, never compared with it. */
  tokenKey: string;
  /** The clock; a test may hold it. */
  now: () => Date;
};

type Answer<N extends RouteName> = z.input<Routes[N]["answer"]>;
export type Operation<N extends RouteName> = (ask: Ask<N>) => Promise<Answer<N>>;
/** One function for each route of the contract: a route without one does not compile. */
export type Operations = { [N in RouteName]: Operation<N> };

/** Declares the function behind a route, typed by the contract. */
export const operation = <N extends RouteName>(_route: N, run: Operation<N>): Operation<N> => run;
