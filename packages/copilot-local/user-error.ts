/**
 * Something the person at the keyboard can mend: printed as it is, without a stack trace.
 * The message says what happened and where; `hint` says what to do next.
 */
export class UserError extends Error {
  override name = "UserError";
  readonly hint: string | undefined;
  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}

/** `✘ what happened`, then the hint on a line of its own. */
export function formatError(error: unknown): string {
  if (error instanceof UserError) return `✘ ${error.message}${error.hint ? `\n  ${error.hint}` : ""}`;
  return `✘ ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
