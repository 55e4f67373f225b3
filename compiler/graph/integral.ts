/** Whether an expression is a whole number, by what it is made of. */
import type { ScalarFn } from "../ops/scalar-functions.ts";
import type { DType, Scalar } from "./node.ts";

const wholeTypes: ReadonlySet<DType> = new Set(["i64", "i32", "i8", "u8", "bool"]);
export const isWholeType = (d: DType): boolean => wholeTypes.has(d);

/** Of whole arguments. */
const keepWhole: ReadonlySet<ScalarFn> = new Set<ScalarFn>([
  "add",
  "sub",
  "mul",
  "floordiv",
  "mod",
  "xor",
  "maximum",
  "minimum",
  "neg",
  "abs",
]);
/** Of any arguments. */
const makeWhole: ReadonlySet<ScalarFn> = new Set<ScalarFn>([
  "sign",
  "floor",
  "ceil",
  "lt",
  "le",
  "eq",
  "and",
  "or",
  "not",
  "to_i8",
]);

/** `names` says of bound names that are no indices whether they are whole; an index is. */
export function isIntegral(e: Scalar, names: ReadonlyMap<string, boolean> = new Map()): boolean {
  switch (e.kind) {
    case "const":
      return Number.isInteger(e.value);
    case "dim":
      return true;
    case "name":
      return names.get(e.name) ?? true;
    case "read":
      return isWholeType(e.value.type.dtype);
    case "call":
      if (e.fn === "select") return e.args.slice(1).every((x) => isIntegral(x, names));
      return makeWhole.has(e.fn) || (keepWhole.has(e.fn) && e.args.every((x) => isIntegral(x, names)));
    case "reduce":
      return e.monoid === "any" || e.monoid === "all" || isIntegral(e.body, names);
    case "fold": {
      const inner = new Map(names);
      for (const s of e.steps) inner.set(s.name, isIntegral(s.body, inner));
      return isIntegral(e.result, inner);
    }
    default:
      return e satisfies never;
  }
}
