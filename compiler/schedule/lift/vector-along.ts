/** How wide vectors along an axis of a nest may be. */

import { asNumber } from "../../../dsl/types/poly.ts";
import { affineOf } from "../../graph/affine.ts";
import { isWide } from "../../graph/interpret/wide.ts";
import type { Axis, Reduce, Scalar } from "../../graph/node.ts";
import { children, freeNames } from "../../graph/scalar.ts";
import { addressOf } from "../nest/nest.ts";
import { factorOf } from "./spell-dim.ts";

/** Along an axis of a reduction: 1 where it allows none. A read may be the same for all of a vector, as the multiplier of a block is. */
export const vectorAlong = (e: Reduce, a: Axis, most: number): number =>
  Math.min(
    widthWithin(e.body, a.name, most, steadyAlong),
    e.where === null ? most : widthWithin(e.where, a.name, most, steadyAlong),
  );
/** The same of what is summed. */
export const termWidth = (e: Scalar, index: string, most: number): number => widthWithin(e, index, most, steadyAlong);

/**
 * The widest vectors, at most `most`, along an index of an expression: every read either does not change with it or walks
 * adjacent memory from a multiple of the width, in one piece. There are none of i64.
 */
export const widthAlong = (e: Scalar, index: string, most: number): number => widthWithin(e, index, most, () => 1);

/** `steady`: the widest vectors in which an index that depends on the one is the same. */
type Steady = (atom: Scalar, index: string, most: number) => number;

function widthWithin(e: Scalar, index: string, most: number, steady: Steady): number {
  if (most === 1 || !freeNames(e).has(index)) return most;
  if (isWide(e)) return 1;
  if (e.kind !== "read") return children(e).reduce((width, c) => widthWithin(c, index, width, steady), most);
  const { piece, index: at } = addressOf(e);
  const { terms, constant } = at;
  let width = most;
  if (piece !== null) {
    if ([...piece.terms.values()].some(({ atom }) => freeNames(atom).has(index))) return 1;
    while (width > 1 && factorOf(e.value.type.dims.at(-1) ?? constant) % width !== 0) width /= 2;
  }
  const isIndex = (atom: Scalar): boolean => atom.kind === "name" && atom.name === index;
  const walked = [...terms.values()].some(({ atom }) => isIndex(atom));
  for (const { atom, coefficient } of terms.values()) {
    if (freeNames(atom).has(index) && !isIndex(atom)) width = steady(atom, index, width);
    if (!walked) continue; // one element for all of a vector, wherever it is
    if (isIndex(atom)) {
      if (asNumber(coefficient) !== 1) return 1;
      continue;
    }
    while (width > 1 && factorOf(coefficient) % width !== 0) width /= 2;
  }
  while (walked && width > 1 && factorOf(constant) % width !== 0) width /= 2;
  return width;
}

/**
 * The widest vectors, at most `most`, in which it is the same at every place: the block of a term, (k + c) div B, where vectors begin at
 * multiples of their width and end in the block.
 */
export function steadyAlong(e: Scalar, index: string, most: number): number {
  if (!freeNames(e).has(index)) return most;
  const [numerator, by] = e.kind === "call" && e.fn === "floordiv" ? e.args : [];
  if (numerator === undefined || by?.kind !== "const" || by.value <= 0) return 1;
  const { terms, constant } = affineOf(numerator);
  let width = most;
  while (width > 1 && by.value % width !== 0) width /= 2;
  for (const { atom, coefficient } of terms.values()) {
    const isIndex = atom.kind === "name" && atom.name === index;
    if (isIndex ? asNumber(coefficient) !== 1 : freeNames(atom).has(index)) return 1;
    while (!isIndex && width > 1 && factorOf(coefficient) % width !== 0) width /= 2;
  }
  while (width > 1 && factorOf(constant) % width !== 0) width /= 2;
  return width;
}
