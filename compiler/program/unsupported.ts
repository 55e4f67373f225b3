/** What a text means and programs cannot do yet. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
}
