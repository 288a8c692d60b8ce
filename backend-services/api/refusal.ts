/**
 * The request is understood and refused. `status` and `code` are for the calling program, `message` (Japanese) is shown
 * to staff and shoppers as it is, so it says what to do next. Thrown inside a transaction, it undoes all of it.
 */
export class Refusal extends Error {
  override name = "Refusal";
  readonly status: 400 | 401 | 404 | 409 | 422 | 423 | 503;
  readonly code: string;
  constructor(status: Refusal["status"], code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** For what does not exist and for what belongs to somebody else alike: the answer must not tell which. */
export const notFound = (message = "見つかりませんでした。") => new Refusal(404, "not_found", message);
