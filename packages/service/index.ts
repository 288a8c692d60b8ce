export { env, readEnv, EnvironmentError } from "./env.ts";
export { healthServer } from "./health.ts";
export type { Health, HealthServerOptions } from "./health.ts";
export { logger } from "./logger.ts";
export type { Logger } from "./logger.ts";
export { serve } from "./serve.ts";
export type { ServeOptions, Served } from "./serve.ts";
export { onShutdown } from "./shutdown.ts";
export { contextOf, inSpan, startTracing, stopTracing, tracedFetch } from "./tracing.ts";
