/** A node's sizes with the numbers that are known: those of the config, and of the phase. */
import { constant, type Poly, substitute, symbolKey } from "../../../dsl/types/poly.ts";
import { constantOf, type Dim, type Sizes } from "../../graph/dim.ts";
import type { Axis, Scalar } from "../../graph/node.ts";
import { bottomUp, call, dimValue, num, substitute as replaceNames } from "../../graph/scalar.ts";

export interface Specialiser {
  readonly dim: (d: Dim) => Dim;
  readonly axis: (a: Axis) => Axis;
  /** The expression with numbers for sizes, folded; indices of axes with one element are 0. */
  readonly scalar: (e: Scalar) => Scalar;
}

/** `others`: what sizes are in terms of others. */
export function specialiser(sizes: Sizes, others: ReadonlyMap<string, Dim> = new Map()): Specialiser {
  const numbers = Object.entries(sizes).map(([n, v]): [string, Poly] => [symbolKey(n), constant(v)]);
  const fixed = new Map(numbers);
  const by = new Map([
    ...numbers,
    ...[...others].map(([n, d]): [string, Poly] => [symbolKey(n), substitute(d, fixed)]),
  ]);
  const known = new Map<string, Dim>();
  const dim = (d: Dim): Dim => {
    const found = known.get(d.key) ?? substitute(d, by);
    known.set(d.key, found);
    return found;
  };
  const axis = (a: Axis): Axis => ({ name: a.name, size: dim(a.size) });
  const scalar = (e: Scalar): Scalar =>
    bottomUp(e, (x): Scalar => {
      if (x.kind === "dim") return dimValue(dim(x.dim));
      if (x.kind === "call") return call(x.fn, ...x.args);
      if (x.kind === "fold") return { ...x, axis: axis(x.axis) };
      if (x.kind !== "reduce") return x;
      const axes = x.axes.map(axis);
      const [left, gone] = apart(axes);
      const at = new Map(gone.map((a): [string, Scalar] => [a.name, num(0)]));
      const body = refolded(x.body, at);
      const where = x.where === null ? null : refolded(x.where, at);
      if (left.length > 0) return { ...x, axes: left, body, where };
      return where === null ? body : { ...x, axes: axes.slice(0, 1), body, where };
    });
  return { dim, axis, scalar };
}

/** Axes of several elements, and those of one. */
export const apart = (axes: readonly Axis[]): readonly [readonly Axis[], readonly Axis[]] => [
  axes.filter((a) => constantOf(a.size) !== 1),
  axes.filter((a) => constantOf(a.size) === 1),
];

/** Names replaced, and what becomes constant folded. */
export const refolded = (e: Scalar, by: ReadonlyMap<string, Scalar>): Scalar =>
  by.size === 0 ? e : bottomUp(replaceNames(e, by), (x) => (x.kind === "call" ? call(x.fn, ...x.args) : x));
