export type BindErrorCode =
  | "missing-tensor"
  | "two-spellings"
  | "wrong-shape"
  | "index-out-of-range"
  | "copies-differ"
  | "no-source"
  | "too-long";

/** A checkpoint or a call that does not fit the model. */
export class BindError extends Error {
  readonly code: BindErrorCode;
  /** Name in the checkpoint; null where the fault is no tensor's. */
  readonly tensor: string | null;
  constructor(code: BindErrorCode, message: string, tensor: string | null) {
    super(message);
    this.name = "BindError";
    this.code = code;
    this.tensor = tensor;
  }
}
