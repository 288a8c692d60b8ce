import type { Path } from "./template.ts";

/** CloudFormation would refuse this: what, and at which path of which stack's template. */
export class LinkError extends Error {
  override name = "LinkError";
  /** Path in the template; empty when the whole stack is meant. */
  path: Path;
  /** The stack whose template `path` belongs to, when it is not the one that was deployed (a nested one). */
  inStack: string | undefined;

  constructor(message: string, path: Path = [], options?: ErrorOptions & { inStack?: string }) {
    super(message, options);
    this.path = path;
    this.inStack = options?.inStack;
  }

  /** The logical id of the resource that the path lies in. */
  get resource(): string | undefined {
    return this.path[0] === "Resources" && this.path.length > 1 ? String(this.path[1]) : undefined;
  }
}
