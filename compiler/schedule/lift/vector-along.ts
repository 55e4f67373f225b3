/** How wide vectors along an axis of a nest may be. */

import { asNumber } from "../../../dsl/types/poly.ts";
import { isWide } from "../../graph/interpret/wide.ts";
import type { Axis, Reduce, Scalar } from "../../graph/node.ts";
import { children, freeNames } from "../../graph/scalar.ts";
import { addressOf } from "../nest/nest.ts";
import { factorOf } from "./spell-dim.ts";

/** Along an axis of a reduction: 1 where it allows none. */
export const vectorAlong = (e: Reduce, a: Axis, most: number): number =>
  Math.min(widthAlong(e.body, a.name, most), e.where === null ? most : widthAlong(e.where, a.name, most));

/**
 * The widest vectors, at most `most`, along an index of an expression: every read either does not change with it or walks
 * adjacent memory from a multiple of the width, in one piece. There are none of i64.
 */
export function widthAlong(e: Scalar, index: string, most: number): number {
  if (most === 1 || !freeNames(e).has(index)) return most;
  if (isWide(e)) return 1;
  if (e.kind !== "read") return children(e).reduce((width, c) => widthAlong(c, index, width), most);
  const { piece, index: at } = addressOf(e);
  const { terms, constant } = at;
  let width = most;
  if (piece !== null) {
    if ([...piece.terms.values()].some(({ atom }) => freeNames(atom).has(index))) return 1;
    while (width > 1 && factorOf(e.value.type.dims.at(-1) ?? constant) % width !== 0) width /= 2;
  }
  for (const { atom, coefficient } of terms.values()) {
    if (atom.kind === "name" && atom.name === index) {
      if (asNumber(coefficient) !== 1) return 1;
      continue;
    }
    if (freeNames(atom).has(index)) return 1;
    while (width > 1 && factorOf(coefficient) % width !== 0) width /= 2;
  }
  while (width > 1 && factorOf(constant) % width !== 0) width /= 2;
  return width;
}
