/** Something the operator can mend: printed without a stack trace, with what to type next. */
export class Refusal extends Error {
  override name = "Refusal";
  readonly hint: string | undefined;
  /** 2 for a command that cannot be meant so, 1 for anything that went wrong. */
  readonly exitCode: 1 | 2;
  constructor(message: string, hint?: string, options: ErrorOptions & { exitCode?: 1 | 2 } = {}) {
    super(message, options);
    this.hint = hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** A command that cannot be meant so. */
export function misuse(message: string, hint?: string): Refusal {
  return new Refusal(message, hint, { exitCode: 2 });
}

/** `✘ what happened: why`, then the hint on a line of its own; a stack only for mistakes of this tool. */
export function formatError(error: unknown): string {
  if (!(error instanceof Error)) return `✘ ${String(error)}`;
  const { hint } = error as { hint?: string };
  const known = error instanceof Refusal || error.name === "UserError";
  return known ? `✘ ${error.message}${hint ? `\n  ${hint}` : ""}` : `✘ ${error.stack ?? error.message}`;
}
