/** Operations on elems of 32 bits, lane by lane. */
import { type OpName, ops } from "../../compiler/kernel/ops.ts";

/** What stands between two operands. */
export const signOf = (op: OpName): string | null => (op === "xor" ? "^" : (ops[op].infix?.sign ?? null));

/** The function of WGSL that is called. */
export const calledAs = (op: OpName): string => (op === "rsqrt" ? "inverseSqrt" : op);
