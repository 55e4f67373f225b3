/** Indices that are the same for a whole call, as sizes of the program. */
import type { SizeExpr } from "../../runtime/artifact/program.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Node, Scalar } from "../graph/node.ts";
import { dimSize } from "../schedule/lift/spell-dim.ts";

/** Over indices of repeats by the names that `loop` gives them. */
export function sizeOfScalar(e: Scalar, loop: (n: Node) => string): SizeExpr {
  const operators = { add: "+", sub: "-", mul: "*" } as const;
  if (e.kind === "const") return e.value;
  if (e.kind === "dim") return dimSize(e.dim);
  if (e.kind === "read" && e.value.kind === "loop_index") return loop(e.value);
  if (e.kind === "call" && e.fn in operators) {
    const [a, b] = e.args;
    if (a !== undefined && b !== undefined)
      return [operators[e.fn as keyof typeof operators], sizeOfScalar(a, loop), sizeOfScalar(b, loop)];
  }
  throw new InternalError("an index that a call does not decide");
}

/** Folded: sums with 0, products with 0 and 1. */
export function plus(a: SizeExpr, b: SizeExpr): SizeExpr {
  if (a === 0) return b;
  if (b === 0) return a;
  return typeof a === "number" && typeof b === "number" ? a + b : ["+", a, b];
}
export function times(a: SizeExpr, b: SizeExpr): SizeExpr {
  if (a === 0 || b === 0) return 0;
  if (a === 1) return b;
  if (b === 1) return a;
  return typeof a === "number" && typeof b === "number" ? a * b : ["*", a, b];
}
