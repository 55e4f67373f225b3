/**
 * invalid-kernel: the verifier refuses it for this target; not-spelled: right, but not to be said here; bad-module: what was
 * spelled is no WebAssembly; bad-call: sizes or addresses that a kernel may not get; out-of-memory: buffers beyond the memory.
 */
export type WasmErrorCode = "invalid-kernel" | "not-spelled" | "bad-module" | "bad-call" | "out-of-memory";

export class WasmError extends Error {
  readonly code: WasmErrorCode;
  /** Null where it is no kernel's. */
  readonly kernel: string | null;
  constructor(code: WasmErrorCode, kernel: string | null, message: string) {
    super(kernel === null ? message : `${kernel}: ${message}`);
    this.name = "WasmError";
    this.code = code;
    this.kernel = kernel;
  }
}
