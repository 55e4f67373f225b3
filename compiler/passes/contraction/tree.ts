/**
 * The cheapest binary contraction tree of a product of factors under sums, by dynamic programming over subsets: 3^n steps
 * for n factors. Pure; indices are bits of a number, prices are asked for. With 8 factors 6,561 steps.
 */

/** Bit i stands for index i, or for leaf i. */
export type Bits = number;

export interface Leaf {
  readonly indices: Bits;
  readonly bytes: number;
}
/** A set of leaves that exists contracted already: `closes` are the indices it has summed. */
export interface Kept {
  readonly leaves: Bits;
  readonly closes: Bits;
  /** Somebody else pays for it. Otherwise it costs what its own cheapest tree costs. */
  readonly free: boolean;
  readonly bytes: number;
}
export interface Problem {
  readonly leaves: readonly Leaf[];
  /** Indices that are summed; all others belong to the result. */
  readonly summed: Bits;
  /** Extent of each index. */
  readonly extents: readonly number[];
  readonly kept: readonly Kept[];
  readonly price: (step: Step) => Priced;
}
export interface Step {
  /** Leaves below this step; the last one has all of them. */
  readonly leaves: Bits;
  /** Multiply-adds: product of the extents of all indices of both sides. */
  readonly points: number;
  readonly leftBytes: number;
  readonly rightBytes: number;
  /** Elements of what it leaves. */
  readonly elements: number;
  /** Indices that it sums; with none it is a product of two factors, not a contraction. */
  readonly closes: Bits;
}
export interface Priced {
  readonly cost: number;
  /** Of what it leaves, as the next step reads it. */
  readonly bytes: number;
}

/** `open`: the indices that a value has. */
export type Tree =
  | { readonly kind: "leaf"; readonly leaf: number; readonly open: Bits }
  | { readonly kind: "kept"; readonly kept: number; readonly open: Bits }
  | {
      readonly kind: "contract";
      readonly left: Tree;
      readonly right: Tree;
      readonly open: Bits;
      readonly closes: Bits;
    };

interface Plan extends Priced {
  readonly split: readonly [Bits, Bits] | null;
  /** Position in `Problem.kept`; -1 for none. */
  readonly kept: number;
}

/** null where no tree has a finite price. */
export function cheapestTree(p: Problem): { readonly cost: number; readonly tree: Tree } | null {
  const full = (1 << p.leaves.length) - 1;
  const union = unions(p, full);
  const extent = extentsOf(p.extents);
  const open = (mask: Bits): Bits => openIndices(p, union, mask);
  const best: (Plan | undefined)[] = [];
  p.leaves.forEach((leaf, i) => {
    best[1 << i] = { cost: 0, bytes: leaf.bytes, split: null, kept: -1 };
  });
  for (let mask = 1; mask <= full; mask += 1) {
    if (best[mask] !== undefined) continue;
    const kept = mask === full ? -1 : keptAt(p, union, mask);
    const node = p.kept[kept];
    let plan: Plan | undefined = node?.free === true ? { cost: 0, bytes: node.bytes, split: null, kept } : undefined;
    for (let left = (mask - 1) & mask; left > 0; left = (left - 1) & mask) {
      const right = mask & ~left;
      if (left < right) break; // the other half of the splits are these with sides exchanged
      const [x, y] = [best[left], best[right]];
      if (x === undefined || y === undefined) continue;
      const both = open(left) | open(right);
      const step: Step = {
        leaves: mask,
        points: extent(both),
        leftBytes: x.bytes,
        rightBytes: y.bytes,
        elements: extent(open(mask)),
        closes: both & ~open(mask),
      };
      const { cost, bytes } = p.price(step);
      const total = x.cost + y.cost + cost;
      const least = plan?.cost ?? Number.POSITIVE_INFINITY;
      if (total < least) plan = { cost: total, bytes: node?.bytes ?? bytes, split: [left, right], kept };
    }
    if (plan !== undefined) best[mask] = plan;
  }
  const root = best[full];
  return root === undefined ? null : { cost: root.cost, tree: treeOf(best, open, full) };
}

function treeOf(best: readonly (Plan | undefined)[], openOf: (mask: Bits) => Bits, mask: Bits): Tree {
  const plan = best[mask];
  const open = openOf(mask);
  if (plan !== undefined && plan.kept >= 0) return { kind: "kept", kept: plan.kept, open };
  if (plan === undefined || plan.split === null) return { kind: "leaf", leaf: bitsOf(mask)[0] ?? 0, open };
  const left = treeOf(best, openOf, plan.split[0]);
  const right = treeOf(best, openOf, plan.split[1]);
  return { kind: "contract", left, right, open, closes: (left.open | right.open) & ~open };
}

/** Indices of each set of leaves. */
function unions(p: Problem, full: Bits): readonly Bits[] {
  const out: Bits[] = [0];
  for (let mask = 1; mask <= full; mask += 1) {
    const lowest = bitsOf(mask & -mask)[0] ?? 0;
    out[mask] = (out[mask & (mask - 1)] ?? 0) | (p.leaves[lowest]?.indices ?? 0);
  }
  return out;
}

/** Indices that survive contracting a set: wanted by the result or by a leaf outside. One leaf keeps all its own. */
function openIndices(p: Problem, union: readonly Bits[], mask: Bits): Bits {
  const own = union[mask] ?? 0;
  if ((mask & (mask - 1)) === 0) return own;
  const outside = union[(union.length - 1) & ~mask] ?? 0;
  return own & (~p.summed | outside);
}

/** A node stands for a set only where contracting the set sums exactly what the node has summed, no more and no less. */
function keptAt(p: Problem, union: readonly Bits[], mask: Bits): number {
  const closed = (union[mask] ?? 0) & ~openIndices(p, union, mask);
  return p.kept.findIndex((k) => k.leaves === mask && k.closes === closed);
}

/** Product of the extents of a set of indices. */
function extentsOf(extents: readonly number[]): (indices: Bits) => number {
  const known = new Map<Bits, number>([[0, 1]]);
  const extent = (indices: Bits): number => {
    const found = known.get(indices);
    if (found !== undefined) return found;
    const lowest = 31 - Math.clz32(indices & -indices);
    const value = (extents[lowest] ?? 1) * extent(indices & (indices - 1));
    known.set(indices, value);
    return value;
  };
  return extent;
}

export const bitsOf = (mask: Bits): readonly number[] => {
  const out: number[] = [];
  for (let m = mask; m !== 0; m &= m - 1) out.push(31 - Math.clz32(m & -m));
  return out;
};
