/** Size expressions of a file: of known operators and names, not too deep, exact where they can be. */
import type { SizeExpr, SizeOperator } from "./program.ts";
import { type At, corrupt, count, text, word } from "./read-value.ts";

const operators: readonly SizeOperator[] = ["+", "-", "*", "/", "%", "min", "max"];
const deepest = 64;

/** `names`: what may stand in it. */
export function readSizeExpr(at: At, names: ReadonlySet<string>, depth = 0): SizeExpr {
  const { value, path } = at;
  if (depth > deepest) throw corrupt(path, `nested deeper than ${deepest} levels`);
  if (typeof value === "number") return count(at, Number.MAX_SAFE_INTEGER);
  if (typeof value === "string") {
    const name = text(at, 256);
    if (!names.has(name)) throw corrupt(path, `no size is called ${JSON.stringify(name)} here`);
    return name;
  }
  if (!Array.isArray(value) || value.length !== 3) throw corrupt(path, "expected [operator, left, right]");
  const [operator, left, right]: readonly unknown[] = value;
  return [
    word({ value: operator, path: `${path}[0]` }, operators),
    readSizeExpr({ value: left, path: `${path}[1]` }, names, depth + 1),
    readSizeExpr({ value: right, path: `${path}[2]` }, names, depth + 1),
  ];
}
