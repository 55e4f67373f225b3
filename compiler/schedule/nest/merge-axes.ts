/**
 * Neighbouring axes that every read walks as one, and nothing else asks for, become one axis: heads and channels of a head,
 * rows and columns of an elementwise operation. `i * |j| + j` is one index then.
 */
import { affineOf } from "../../graph/affine.ts";
import { mulDim, zeroDim } from "../../graph/dim.ts";
import type { Axis, Scalar } from "../../graph/node.ts";
import { add, bottomUp, children, dimValue, freeNames, mapChildren, mul, name, read } from "../../graph/scalar.ts";

export interface Merged {
  readonly axes: readonly Axis[];
  readonly body: Scalar;
  readonly where: Scalar | null;
}

/** Of a nest, its guard, and the reductions in both. */
export function mergeAxes(axes: readonly Axis[], body: Scalar, where: Scalar | null): Merged {
  const all = where === null ? [body] : [body, where];
  const [merged, [outer = body, guard = null]] = mergeNeighbours(axes, all.map(inReductions));
  return { axes: merged, body: outer, where: guard };
}

const inReductions = (body: Scalar): Scalar =>
  bottomUp(body, (e): Scalar => {
    if (e.kind !== "reduce") return e;
    const both = e.where === null ? [e.body] : [e.body, e.where];
    const [merged, [inside = e.body, where = null]] = mergeNeighbours(e.axes, both);
    return { ...e, axes: merged, body: inside, where };
  });

type Merging = readonly [readonly Axis[], readonly Scalar[]];

/** Of expressions over these axes: the axes that are left, and the expressions over them. */
export function mergeNeighbours(axes: readonly Axis[], bodies: readonly Scalar[]): Merging {
  for (const [at, i] of axes.entries()) {
    const j = axes[at + 1];
    if (j === undefined || !bodies.every((e) => walkedAsOne(e, i, j))) continue;
    const one: Axis = { name: i.name, size: mulDim(i.size, j.size) };
    const rest = [...axes.slice(0, at), one, ...axes.slice(at + 2)];
    return mergeNeighbours(
      rest,
      bodies.map((e) => asOne(e, i, j)),
    );
  }
  return [axes, bodies];
}

/** Whether i and j occur in addresses only, and there as multiples of i * |j| + j. */
function walkedAsOne(e: Scalar, i: Axis, j: Axis): boolean {
  const free = freeNames(e);
  if (!free.has(i.name) && !free.has(j.name)) return true;
  if (e.kind === "name") return false;
  if (e.kind !== "read") return children(e).every((c) => walkedAsOne(c, i, j));
  return e.at.every((at) => isMultipleOfOne(at, i, j));
}

function isMultipleOfOne(at: Scalar, i: Axis, j: Axis): boolean {
  const { terms } = affineOf(at);
  let [ofI, ofJ] = [zeroDim, zeroDim];
  for (const { atom, coefficient } of terms.values()) {
    if (atom.kind === "name" && atom.name === i.name) ofI = coefficient;
    else if (atom.kind === "name" && atom.name === j.name) ofJ = coefficient;
    else if (!walkedAsOne(atom, i, j)) return false;
  }
  return ofI.key === mulDim(ofJ, j.size).key;
}

function asOne(e: Scalar, i: Axis, j: Axis): Scalar {
  if (e.kind !== "read") return mapChildren(e, (c) => asOne(c, i, j));
  return read(
    e.value,
    e.at.map((at) => addressAsOne(at, i, j)),
  );
}

function addressAsOne(at: Scalar, i: Axis, j: Axis): Scalar {
  const { terms, constant } = affineOf(at);
  let address: Scalar = dimValue(constant);
  for (const { atom, coefficient } of terms.values()) {
    if (atom.kind === "name" && atom.name === i.name) continue;
    const to = atom.kind === "name" && atom.name === j.name ? name(i.name) : asOne(atom, i, j);
    address = add(address, mul(to, dimValue(coefficient)));
  }
  return address;
}
