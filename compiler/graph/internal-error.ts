/** Thrown where dsc itself is wrong: never for a mistake in what a user wrote. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}
