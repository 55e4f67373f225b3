/**
 * The loop nest of a computed node: what strategies look at. Sizes that the config fixes are numbers, every tensor is flat memory
 * read at one sum of multiples of indices (and one more that says in which piece, where there are more elements than an index
 * counts), axes of one element are gone and neighbours that are walked as one axis are one.
 */
import { type Affine, affineOf } from "../../graph/affine.ts";
import { zeroDim } from "../../graph/dim.ts";
import type { Axis, Node, Read, Scalar } from "../../graph/node.ts";
import type { Elem } from "../../kernel/elem.ts";

/** A tensor, or a part of one, that the kernel reads. */
export interface Operand {
  /** Stands for it in the body: flat, of rank 1; in pieces, of rank 2, [pieces, elements of each]. */
  readonly flat: Node;
  readonly node: Node;
  /** Leading indices that are the same for the whole call: they say where the memory begins, in rows of `dims`. */
  readonly leading: readonly Scalar[];
  /** Extents behind the leading indices. */
  readonly dims: readonly Axis["size"][];
  readonly elem: Elem;
}

export interface Nest {
  readonly label: string;
  /** Output axes, outermost first; the output is their row-major product. */
  readonly axes: readonly Axis[];
  readonly body: Scalar;
  /** Of a scored nest, which points count; null: all. */
  readonly where: Scalar | null;
  readonly elem: Elem;
  readonly operands: readonly Operand[];
  /** Whether launches have some pieces of a weight at hand (windows.ts). */
  readonly windows: boolean;
  /** Indices of repeats whose value the body itself uses, by the name that stands for them. */
  readonly loops: ReadonlyMap<string, Node>;
  /** Least value of each run-time size. */
  readonly least: ReadonlyMap<string, number>;
  /** The greatest, where it is known. */
  readonly most: ReadonlyMap<string, number>;
}

/** Where a read of flat memory begins, as sums of multiples: which piece, if there are any, and which element of it. */
export interface Address {
  readonly piece: Affine | null;
  readonly index: Affine;
}
export function addressOf({ value, at }: Read): Address {
  const [first, second] = at;
  const none: Affine = { terms: new Map(), constant: zeroDim };
  if (first === undefined) return { piece: null, index: none };
  if (value.type.dims.length < 2 || second === undefined) return { piece: null, index: affineOf(first) };
  return { piece: affineOf(first), index: affineOf(second) };
}

export const operandOf = (nest: Nest, r: Read): Operand | undefined => nest.operands.find((o) => o.flat === r.value);
