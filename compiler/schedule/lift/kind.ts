/** What a scalar of a nest is: a whole number, of 64 bits or not, a truth value, or a real. The values of the kernel follow it. */
import { isWide } from "../../graph/interpret/wide.ts";
import type { Scalar } from "../../graph/node.ts";

export type Kind = "whole" | "wide" | "truth" | "real";

export function kindOf(e: Scalar): Kind {
  if (isWide(e)) return "wide";
  switch (e.kind) {
    case "const":
      return Number.isInteger(e.value) && !Object.is(e.value, -0) && Math.abs(e.value) < 2 ** 31 ? "whole" : "real";
    case "dim":
    case "name":
      return "whole";
    case "read": {
      const { dtype } = e.value.type;
      return dtype === "i32" ? "whole" : dtype === "bool" ? "truth" : "real";
    }
    case "reduce":
      if (e.monoid === "any" || e.monoid === "all") return "truth";
      return kindOf(e.body) === "real" ? "real" : "whole";
    case "fold":
      return kindOf(e.result);
    case "call": {
      const { fn, args } = e;
      if (["lt", "le", "eq", "and", "or", "not"].includes(fn)) return "truth";
      if (fn === "xor" || fn === "to_i8") return "whole";
      if (fn === "select") {
        const [then, otherwise] = args.slice(1).map(kindOf);
        return then === otherwise ? (then ?? "real") : then === "real" || otherwise === "real" ? "real" : "whole";
      }
      const closed = [
        "add",
        "sub",
        "mul",
        "maximum",
        "minimum",
        "neg",
        "abs",
        "sign",
        "floor",
        "ceil",
        "floordiv",
        "mod",
      ];
      return closed.includes(fn) && args.every((a) => kindOf(a) !== "real") ? "whole" : "real";
    }
    default:
      return e satisfies never;
  }
}
