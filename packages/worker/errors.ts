/** Retrying cannot help: park it now, with its group. */
export class Unprocessable extends Error {
  override name = "Unprocessable";
}

/**
 * The other side asked us to wait. The lane is held for `seconds` (at most 900 at a time) and no attempt is counted.
 * What has to wait longer is an event with a due time, not a message in flight.
 */
export class RetryAfter extends Error {
  override name = "RetryAfter";
  readonly seconds: number;
  constructor(seconds: number, message = `asked to wait ${seconds} s`, options?: ErrorOptions) {
    super(message, options);
    this.seconds = seconds;
  }
}
