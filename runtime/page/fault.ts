/** Errors on their way from a worker to its page. */

/** What went wrong, as far as a message carries it. */
export interface Fault {
  /** Of the error's class; `AbortError` for what was cancelled. */
  readonly name: string;
  /** Stable; of a CacheError with its fault: `cache-full`. Empty for what has none. */
  readonly code: string;
  readonly message: string;
}

export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: "Error", code: "", message: String(error) };
  const [code, fault] = ["code", "fault"].map((key) => {
    const value: unknown = Reflect.get(error, key);
    return typeof value === "string" ? value : "";
  });
  return { name: error.name, code: fault === "" ? (code ?? "") : `${code}-${fault}`, message: error.message };
}

/** What a call of the worker throws. */
export class CallError extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

export const wasCancelled = ({ name }: Fault): boolean => name === "AbortError";
