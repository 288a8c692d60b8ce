import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Running, start } from "copilot-local";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The dashboard of the workspace that all files share. */
    dashboard: string;
  }
}

export type Workspace = { running: Running; data: string };

/** Starts the whole of Noren from its manifests on free ports, with its data in a folder of its own. */
export async function startWorkspace(data?: string): Promise<Workspace> {
  const folder = data ?? (await mkdtemp(join(tmpdir(), "noren-e2e-")));
  const running = await start({
    root: join(import.meta.dirname, "../.."),
    environment: "staging",
    port: 0,
    freePorts: true,
    data: folder,
  });
  await running.ready(120_000);
  return { running, data: folder };
}

/**
 * Vitest's global setup: the workspace is up before the first file and gone after the last. With DASHBOARD set to the
 * address of one that runs already (`npm start`), the journeys are driven there: quicker while a screen is being made.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const own = process.env["DASHBOARD"];
  if (own) {
    project.provide("dashboard", own);
    return undefined;
  }
  const { running, data } = await startWorkspace();
  project.provide("dashboard", running.url);
  return async () => {
    await running.stop();
    await rm(data, { recursive: true, force: true });
  };
}
