/** Which places s a row sees: bounds of a loop over s, and what is left to ask at each place. */
import { affineOf } from "../../graph/affine.ts";
import { addDim, mulDim } from "../../graph/dim.ts";
import type { Scalar } from "../../graph/node.ts";
import { add, children, dimValue, freeNames, mul, some } from "../../graph/scalar.ts";
import { kindOf } from "../lift/kind.ts";

export interface Visible {
  /** s is below each of them. */
  readonly below: readonly Scalar[];
  /** s is not below any of them. */
  readonly from: readonly Scalar[];
  /** Conditions that these bounds, taken over all rows of a block, do not imply. */
  readonly left: readonly Scalar[];
  /** Whether all that is left are bounds from above: then every row sees what the first of them leaves. */
  readonly onlyBelow: boolean;
}

/** `varies`: whether it differs from row to row of a block. */
export function visibleOf(where: Scalar | null, s: string, varies: (e: Scalar) => boolean): Visible {
  const [below, from, left]: [Scalar[], Scalar[], Scalar[]] = [[], [], []];
  let onlyBelow = true;
  for (const c of conjuncts(where)) {
    const bound = boundOf(c, s);
    if (bound === null || varies(bound.at)) {
      left.push(c);
      onlyBelow &&= bound?.above === true;
    }
    if (bound !== null) (bound.above ? below : from).push(bound.at);
  }
  return { below, from, left, onlyBelow };
}

const conjuncts = (e: Scalar | null): readonly Scalar[] =>
  e === null ? [] : e.kind === "call" && e.fn === "and" ? children(e).flatMap(conjuncts) : [e];

/** From x < y or x <= y with s in one of them, once: s < at, or s >= at. */
function boundOf(e: Scalar, s: string): { readonly above: boolean; readonly at: Scalar } | null {
  const [x, y] = e.kind === "call" && (e.fn === "lt" || e.fn === "le") ? e.args : [];
  if (x === undefined || y === undefined || kindOf(x) !== "whole" || kindOf(y) !== "whole") return null;
  const { terms, constant } = affineOf({ kind: "call", fn: "sub", args: [y, x] });
  const [own] = [...terms.values()].filter(({ atom }) => atom.kind === "name" && atom.name === s);
  const others = [...terms.values()].filter((t) => t !== own);
  const sign = own?.coefficient.key;
  if ((sign !== "1" && sign !== "-1") || others.some(({ atom }) => freeNames(atom).has(s) || isReduced(atom)))
    return null;
  // rest - s >= strict, or rest + s >= strict.
  const above = sign === "-1";
  const strict = e.kind === "call" && e.fn === "lt" ? 1 : 0;
  const shifted = addDim(constant, above ? 1 - strict : -strict);
  const times = above ? 1 : -1;
  let at: Scalar = dimValue(mulDim(shifted, times));
  for (const { atom, coefficient } of others) at = add(at, mul(atom, dimValue(mulDim(coefficient, times))));
  return { above, at };
}
const isReduced = (e: Scalar): boolean => some(e, (x) => x.kind === "reduce" || x.kind === "fold");
