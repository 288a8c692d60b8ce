import type { Rendering } from "./render.ts";
import type { Step } from "./report.ts";
import type { Setting } from "./setting.ts";

export interface Scanners {
  /** Programs of Python. */
  bin: string;
  /** `node_modules` of the tools from npm. */
  modules: string;
}

export async function lint(_setting: Setting, _rendering: Rendering, _scanners: Scanners): Promise<Step[]> {
  return [];
}
