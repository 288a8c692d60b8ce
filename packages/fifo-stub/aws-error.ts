/** An error as AWS answers it. */
export class AwsError extends Error {
  override name = "AwsError";
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export function invalid(parameter: string, value: unknown, reason: string): AwsError {
  return new AwsError(
    "InvalidParameterValue",
    `Value ${String(value)} for parameter ${parameter} is invalid. Reason: ${reason}`,
  );
}

export function missing(parameter: string): AwsError {
  return new AwsError("MissingParameter", `The request must contain the parameter ${parameter}.`);
}

/** A whole number within bounds, or AWS's answer to one that is not. */
export function whole(parameter: string, value: unknown, least: number, most: number): number {
  const number = Number(value);
  if (value === "" || !Number.isInteger(number) || number < least || number > most) {
    throw invalid(parameter, value, `Must be between ${least} and ${most}, if provided.`);
  }
  return number;
}
