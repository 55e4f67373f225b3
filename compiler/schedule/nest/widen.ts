/**
 * Whole numbers of 64 bits made visible: what lands in 64 bits is computed with them from its leaves on
 * (graph/interpret/wide.ts), but a reduction tells by its body alone what it is. One of 32 bits that stands where 64 are meant
 * gets a body of 64.
 */
import { isWide, wideComparisons, wideFunctions, wideMonoids } from "../../graph/interpret/wide.ts";
import type { Node, Scalar } from "../../graph/node.ts";
import { bottomUp, mapChildren, read } from "../../graph/scalar.ts";

/** 0 with 64 bits, in no memory. */
export const wideZero: Node = { kind: "input", id: -1, name: "$zero", type: { dtype: "i64", dims: [] } };

/** `lands`: whether the expression's own value is an i64. */
export function widen(e: Scalar, lands: boolean): Scalar {
  const inside = bottomUp(e, (x) => (isWideCall(x) ? mapChildren(x, asWide) : x));
  return lands ? asWide(inside) : inside;
}
/** Of which all arguments are taken as i64. */
const isWideCall = (e: Scalar): boolean =>
  e.kind === "call" && (isWide(e) || (wideComparisons[e.fn] !== undefined && e.args.some(isWide)));

function asWide(e: Scalar): Scalar {
  if (isWide(e)) return e;
  if (e.kind === "reduce" && wideMonoids[e.monoid] !== undefined) return { ...e, body: added(asWide(e.body)) };
  return e.kind === "call" && wideFunctions[e.fn] !== undefined ? mapChildren(e, asWide) : e;
}
const added = (e: Scalar): Scalar => (isWide(e) ? e : { kind: "call", fn: "add", args: [e, read(wideZero, [])] });
