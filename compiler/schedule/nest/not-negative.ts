/** What is not negative by its form alone: how kernels write a quotient, and what may be proved of it, hang on this together. */
import type { Scalar } from "../../graph/node.ts";
import { children } from "../../graph/scalar.ts";

/** Indices, and sums, products and quotients of what is not negative. */
export function isNotNegative(e: Scalar): boolean {
  switch (e.kind) {
    case "const":
      return e.value >= 0;
    case "name":
      return true;
    case "dim":
      return e.dim.terms.every((t) => t.coefficient.num >= 0);
    case "read":
      return false;
    case "call":
      if (e.fn === "maximum") return e.args.some(isNotNegative);
      return ["add", "mul", "floordiv", "mod", "minimum"].includes(e.fn) && children(e).every(isNotNegative);
    case "reduce":
    case "fold":
      return false;
    default:
      return e satisfies never;
  }
}

/** Whether it is a floor that kernels write with branches, which their proofs do not follow: division truncates. */
export const isBranchedFloor = (e: Scalar): boolean =>
  e.kind === "call" && (e.fn === "mod" || e.fn === "floordiv") && !e.args.every(isNotNegative);
