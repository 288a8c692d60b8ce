/** The set-up is broken (configuration, template, git): nothing can be said about the documents. Exit code 2. */
export class SetUpError extends Error {
  override name = "SetUpError";
}
