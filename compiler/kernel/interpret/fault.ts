/** What a run of a kernel may do wrong. */

export type FaultKind = "input" | "range" | "unwritten" | "race" | "divergence" | "division" | "promise" | "length";
/**
 * input: a size or buffer that does not fit; range: an access past its memory; unwritten: a read of what nobody wrote; race: two
 * lanes without a barrier between them, or two items; divergence: lanes that do not meet; division: by zero, or a shift of
 * 32 bits and more; promise: a `b7` operand that is not in 0..127; length: more steps than are wanted.
 */
export interface Fault {
  readonly kind: FaultKind;
  readonly message: string;
}
/** Carries a fault from where it happens to the entry of the interpreter, and no further. */
export class KernelFault extends Error {
  readonly fault: Fault;
  constructor(kind: FaultKind, message: string) {
    super(message);
    this.fault = { kind, message };
  }
}
