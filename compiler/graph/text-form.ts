/** What printer and parser of the text form share: operators, and which names stand without quotes. */
import type { ScalarFn } from "../ops/scalar-functions.ts";

export interface Infix {
  readonly fn: ScalarFn;
  readonly symbol: string;
  /** Binds tighter than a lower one; all are left-associative. */
  readonly level: number;
}
export const infixes: readonly Infix[] = [
  { fn: "or", symbol: "||", level: 1 },
  { fn: "and", symbol: "&&", level: 2 },
  { fn: "lt", symbol: "<", level: 3 },
  { fn: "le", symbol: "<=", level: 3 },
  { fn: "eq", symbol: "==", level: 3 },
  { fn: "add", symbol: "+", level: 4 },
  { fn: "sub", symbol: "-", level: 4 },
  { fn: "mul", symbol: "*", level: 5 },
  { fn: "div", symbol: "/", level: 5 },
];

const words: ReadonlySet<string> = new Set(["where", "by", "yield", "inf", "nan"]);
/** Of an index or accumulator; any other stands in backquotes. */
export const isPlainBound = (name: string): boolean => /^[a-z_][A-Za-z0-9_]*$/.test(name) && !words.has(name);
/** Of a node or graph: `layer.attn.k`; any other stands in double quotes. */
export const isPlainLabel = (name: string): boolean => /^[A-Za-z_]\w*(?:\.\w+)*$/.test(name);
/** A size that stands in an expression without braces. */
export const isPlainSize = (text: string): boolean => /^[A-Z]\w*$/.test(text);
/** Words of a size expression, which no size is called by. */
export const sizeWords: ReadonlySet<string> = new Set(["div", "mod", "min", "max", "ceil_div"]);
export const isSizeName = (name: string): boolean =>
  /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/.test(name) && !sizeWords.has(name);

/** Reads back exactly, -0 included; the shorter of `0.000001` and `1e-6`. */
export function printNumber(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (Object.is(x, -0)) return "-0";
  const [plain, scientific] = [String(x), x.toExponential()];
  return scientific.length < plain.length ? scientific : plain;
}
