/** Operations on elems of 32 bits, lane by lane. */
import { isTranscendental, type OpName, ops } from "../../compiler/kernel/ops.ts";

/** What stands between two operands. */
export const signOf = (op: OpName): string | null => (op === "xor" ? "^" : (ops[op].infix?.sign ?? null));

/** The function that is called; null where WGSL has none of the accuracy, and lowering writes it out. */
export function calledAs(op: OpName): string | null {
  if (isTranscendental(op)) return null;
  return op === "rsqrt" ? "inverseSqrt" : op;
}
