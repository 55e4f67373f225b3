/** invalid-kernel: the verifier refuses it for this target; not-spelled: right, but not to be said here; bad-call: sizes or buffers that a kernel may not get. */
export type WgslErrorCode = "invalid-kernel" | "not-spelled" | "bad-call";

export class WgslError extends Error {
  readonly code: WgslErrorCode;
  readonly kernel: string;
  constructor(code: WgslErrorCode, kernel: string, message: string) {
    super(`${kernel}: ${message}`);
    this.name = "WgslError";
    this.code = code;
    this.kernel = kernel;
  }
}
