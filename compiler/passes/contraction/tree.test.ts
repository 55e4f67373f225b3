import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Bits, bitsOf, cheapestTree, type Kept, type Priced, type Problem, type Step, type Tree } from "./tree.ts";

const extentOf = (p: Problem, bits: Bits): number => bitsOf(bits).reduce((x, i) => x * (p.extents[i] ?? 1), 1);
const indicesOf = (p: Problem, leaves: Bits): Bits =>
  bitsOf(leaves).reduce((m, i) => m | (p.leaves[i]?.indices ?? 0), 0);
const everything = (p: Problem): Bits => (1 << p.leaves.length) - 1;
/** By definition: an index of one leaf stays; of several, if the result or a leaf outside wants it. */
const openOf = (p: Problem, leaves: Bits): Bits => {
  const own = indicesOf(p, leaves);
  if (bitsOf(leaves).length === 1) return own;
  return own & (~p.summed | indicesOf(p, everything(p) & ~leaves));
};

/** Every binary tree over a set of leaves, with its cost: no sharing of subproblems, no order of sides. */
function everyTree(p: Problem, leaves: Bits): readonly Priced[] {
  const [only] = bitsOf(leaves);
  if (bitsOf(leaves).length === 1) return [{ cost: 0, bytes: p.leaves[only ?? 0]?.bytes ?? 0 }];
  const closed = indicesOf(p, leaves) & ~openOf(p, leaves);
  const node = leaves === everything(p) ? undefined : p.kept.find((k) => k.leaves === leaves && k.closes === closed);
  const out: Priced[] = node?.free === true ? [{ cost: 0, bytes: node.bytes }] : [];
  for (let left = 1; left < leaves; left += 1) {
    if ((left & leaves) !== left) continue;
    const right = leaves & ~left;
    for (const x of everyTree(p, left)) {
      for (const y of everyTree(p, right)) {
        const both = openOf(p, left) | openOf(p, right);
        const { cost, bytes } = p.price({
          leaves,
          points: extentOf(p, both),
          leftBytes: x.bytes,
          rightBytes: y.bytes,
          elements: extentOf(p, openOf(p, leaves)),
          closes: both & ~openOf(p, leaves),
        });
        out.push({ cost: x.cost + y.cost + cost, bytes: node?.bytes ?? bytes });
      }
    }
  }
  return out;
}

/** What a step costs may depend on bytes only through subsets: then the best part of a best tree is best. */
const price = (s: Step): Priced => ({ cost: s.points + 0.5 * s.elements, bytes: s.elements });

const problems: fc.Arbitrary<Problem> = fc
  .record({
    leaves: fc.array(fc.record({ indices: fc.integer({ min: 1, max: 63 }), bytes: fc.nat(9) }), {
      minLength: 2,
      maxLength: 5,
    }),
    summed: fc.integer({ min: 0, max: 63 }),
    extents: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 6, maxLength: 6 }),
    kept: fc.array(fc.record({ leaves: fc.integer({ min: 1, max: 31 }), free: fc.boolean(), bytes: fc.nat(9) }), {
      maxLength: 3,
    }),
  })
  .map((r) => {
    const bare: Problem = { ...r, kept: [], price };
    const kept = r.kept.flatMap(({ leaves, free, bytes }): readonly Kept[] => {
      const own = leaves & everything(bare);
      return own === 0 ? [] : [{ leaves: own, closes: indicesOf(bare, own) & ~openOf(bare, own), free, bytes }];
    });
    return { ...bare, kept };
  });

const leavesOf = (p: Problem, t: Tree): readonly number[] =>
  t.kind === "leaf"
    ? [t.leaf]
    : t.kind === "kept"
      ? bitsOf(p.kept[t.kept]?.leaves ?? 0)
      : [...leavesOf(p, t.left), ...leavesOf(p, t.right)];

describe("cheapest tree", () => {
  test("none of all trees is cheaper", () => {
    fc.assert(
      fc.property(problems, (p) => {
        const best = Math.min(...everyTree(p, everything(p)).map((x) => x.cost));
        expect(cheapestTree(p)?.cost).toBe(best);
      }),
      { numRuns: 150 },
    );
  });
  test("each leaf stands in it once, each summed index is closed once, and never while a leaf outside wants it", () => {
    fc.assert(
      fc.property(problems, (p) => {
        const found = cheapestTree(p);
        if (found === null) return;
        expect([...leavesOf(p, found.tree)].sort()).toEqual(p.leaves.map((_, i) => i));
        let closed = 0;
        const visit = (t: Tree): void => {
          const own = leavesOf(p, t).reduce((m, i) => m | (1 << i), 0);
          expect(t.open).toBe(openOf(p, own));
          if (t.kind === "kept") closed |= p.kept[t.kept]?.closes ?? 0;
          if (t.kind !== "contract") return;
          visit(t.left);
          visit(t.right);
          expect(closed & t.closes).toBe(0);
          closed |= t.closes;
        };
        visit(found.tree);
        expect(closed).toBe(indicesOf(p, everything(p)) & p.summed);
      }),
      { numRuns: 150 },
    );
  });
  test("a chain of three: from the side that is thinner", () => {
    // indices 0: rows, 1: inner, 2: rank, 3: out;  x[0,1]·A[1,2]·B[2,3]
    const chain = (rows: number): Problem => ({
      leaves: [0b0011, 0b0110, 0b1100].map((indices) => ({ indices, bytes: 0 })),
      summed: 0b0110,
      extents: [rows, 100, 10, 100],
      kept: [],
      price: (s) => ({ cost: s.points, bytes: 0 }),
    });
    expect(cheapestTree(chain(1))?.cost).toBe(1 * 100 * 10 + 1 * 10 * 100);
    expect(cheapestTree(chain(1))?.tree).toMatchObject({ open: 0b1001, closes: 0b0100 });
  });
  test("where no step has a finite price there is no tree", () => {
    const price = (): Priced => ({ cost: Number.POSITIVE_INFINITY, bytes: 0 });
    const leaves = [0b1, 0b11].map((indices) => ({ indices, bytes: 0 }));
    expect(cheapestTree({ leaves, summed: 1, extents: [2, 2], kept: [], price })).toBeNull();
  });
});
