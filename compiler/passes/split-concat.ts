/**
 * sum[i: N + P] over select(i < N, a[i], b[i - N])  ->  sum[i: N] a[i] + sum[i: P] b[i], and the same for every monoid.
 * This is the only distribution over a reduction: (x + y) * w -> x*w + y*w in general doubles the work and, on a residual
 * stream, never ends. A read of a concatenation that lies in one half becomes a read of that half.
 */
import { affineOf } from "../graph/affine.ts";
import { addDim, type Dim, subDim, zeroDim } from "../graph/dim.ts";
import type { Place } from "../graph/index-range.ts";
import type { Axis, MapNode, Node, Reduce, Scalar } from "../graph/node.ts";
import { factors } from "../graph/product.ts";
import { rewriteGraph } from "../graph/rewrite.ts";
import {
  add,
  bottomUp,
  call,
  dimValue,
  instantiate,
  mapChildren,
  name,
  num,
  reduce,
  substitute,
  walk,
} from "../graph/scalar.ts";
import { allAxes } from "../graph/walk.ts";
import type { Monoid, ScalarFn } from "../ops/scalar-functions.ts";
import { atLeast, decide, factsOf, placeOf } from "./in-range.ts";
import { isElementwise, namesIn, openAt } from "./open.ts";
import type { Pass, Report } from "./pass.ts";

export const splitConcat: Pass = {
  name: "split-concat",
  exactness: "rounds-differently",
  run: (g, { builder, report }) => {
    const facts = factsOf(g);
    return rewriteGraph(builder, g, (n) => {
      const taken = namesIn(n);
      const place = placeOf(facts, allAxes(n).values());
      const say = (cut: Cut): void => report(reportOf(n.name, cut));
      return builder.withBody(n, (e) =>
        bottomUp(e, (x) => {
          if (x.kind === "reduce") return split(x, { taken, place, say });
          return x.kind === "read" && isConcatenation(x.value) ? (half(x.value, x.at, place) ?? x) : x;
        }),
      );
    });
  },
};

/** Where a condition on one index changes: it is `first` for index < at and the opposite from there on. */
interface Cut {
  readonly index: string;
  readonly at: Dim;
  readonly first: boolean;
}
interface Splitting {
  readonly taken: Set<string>;
  readonly place: Place;
  readonly say: (cut: Cut) => void;
}

/** i + k < limit and its relatives, as a cut of i; null for a condition on more than one index. */
function cutOf(e: Scalar): Cut | null {
  if (e.kind !== "call" || (e.fn !== "lt" && e.fn !== "le")) return null;
  const [a, b] = e.args;
  if (a === undefined || b === undefined) return null;
  const { terms, constant } = affineOf({ kind: "call", fn: "sub", args: [a, b] });
  const [term] = terms.values();
  if (term === undefined || terms.size !== 1 || term.atom.kind !== "name") return null;
  const index = term.atom.name;
  const strict = e.fn === "lt";
  // i + k < 0 is i < -k; -i + k < 0 is i >= k + 1.
  if (term.coefficient.key === one)
    return { index, at: addDim(subDim(zeroDim, constant), strict ? 0 : 1), first: true };
  return term.coefficient.key === minusOne ? { index, at: addDim(constant, strict ? 1 : 0), first: false } : null;
}
const one = addDim(zeroDim, 1).key;
const minusOne = subDim(zeroDim, 1).key;

/** Cuts in the conditions of an expression's selects, along given axes. */
function cutsIn(e: Scalar, axes: ReadonlyMap<string, Axis>): readonly Cut[] {
  const found: Cut[] = [];
  walk(e, (x) => {
    const [condition] = x.kind === "call" && x.fn === "select" ? x.args : [];
    if (condition === undefined) return;
    walk(condition, (c) => {
      const cut = cutOf(c);
      if (cut !== null && axes.has(cut.index)) found.push(cut);
    });
  });
  return found;
}

/** The expression on one side of a cut. */
function onSide(e: Scalar, cut: Cut, low: boolean): Scalar {
  const here = cutOf(e);
  if (here !== null && here.index === cut.index && here.at.key === cut.at.key) return num(here.first === low ? 1 : 0);
  return mapChildren(e, (c) => onSide(c, cut, low));
}

function split(e: Reduce, s: Splitting): Scalar {
  const axes = new Map(e.axes.map((a) => [a.name, a]));
  const opened: Reduce = { ...e, body: openConcatenations(e.body, axes, s) };
  for (const cut of cutsIn(opened.body, axes)) {
    const size = axes.get(cut.index)?.size ?? zeroDim;
    // The axis may lie on one side: the second half of a three-part concatenation, seen from its own first cut.
    if (atLeast(cut.at, size, s.place)) return split({ ...opened, body: onSide(opened.body, cut, true) }, s);
    if (atLeast(zeroDim, cut.at, s.place)) return split({ ...opened, body: onSide(opened.body, cut, false) }, s);
    if (!atLeast(cut.at, zeroDim, s.place) || !atLeast(size, cut.at, s.place)) continue;
    s.say(cut);
    const low = part(opened, cut, true, s);
    // The second half gets index names of its own, so that a name is bound once in a node.
    const high = instantiate(part(opened, cut, false, s), new Map(), s.taken);
    return isEmpty(low, e.monoid) ? high : isEmpty(high, e.monoid) ? low : call(combination[e.monoid], low, high);
  }
  return e; // nothing to cut: reads stay reads
}

function part(e: Reduce, cut: Cut, low: boolean, s: Splitting): Scalar {
  // Conditions are decided before the index is shifted: afterwards they would no longer be recognised.
  const body = onSide(e.body, cut, low);
  const shift = new Map(low ? [] : [[cut.index, add(name(cut.index), dimValue(cut.at))] as const]);
  const axes = e.axes.map((a) => (a.name === cut.index ? { ...a, size: low ? cut.at : subDim(a.size, cut.at) } : a));
  const half = reduce(e.monoid, axes, substitute(body, shift), e.where === null ? null : substitute(e.where, shift));
  return half.kind === "reduce" ? split(half, s) : half;
}

const combination: Readonly<Record<Monoid, ScalarFn>> = {
  sum: "add",
  product: "mul",
  max: "maximum",
  min: "minimum",
  any: "or",
  all: "and",
};
/** A sum of zeros: what a select by a padding leaves of one half. */
const isEmpty = (e: Scalar, monoid: Monoid): boolean =>
  monoid === "sum" && e.kind === "reduce" && e.body.kind === "const" && e.body.value === 0;

/** A select, or a product with one: what is read from it is one of two things. */
const isConcatenation = (n: Node): n is MapNode => isElementwise(n) && factors(n.body).some(isSelect);
const isSelect = (e: Scalar): boolean => e.kind === "call" && e.fn === "select";

/** Brings concatenations along a reduced axis into the reduction, where that gives it a cut. */
function openConcatenations(e: Scalar, axes: ReadonlyMap<string, Axis>, s: Splitting): Scalar {
  return bottomUp(e, (x) => {
    if (x.kind !== "read" || !isConcatenation(x.value)) return x;
    const body = openAt(x.value, x.at, s.taken);
    return cutsIn(body, axes).length > 0 ? openConcatenations(body, axes, s) : x;
  });
}

/** The one branch of a concatenation that a read can meet. */
function half(n: MapNode, at: readonly Scalar[], place: Place): Scalar | null {
  if (!isSelect(n.body)) return null;
  const body = openAt(n, at, new Set());
  const [condition, a, b] = body.kind === "call" && body.fn === "select" ? body.args : [];
  if (condition === undefined || a === undefined || b === undefined) return null;
  const holds = decide(condition, place);
  return holds === null ? null : holds ? a : b;
}

const reportOf = (node: string, cut: Cut): Report => ({
  pass: "split-concat",
  node,
  decision: `cut the reduction over ${cut.index} at ${cut.at.key}`,
  why: "its terms are read from a concatenation",
  numbers: {},
});
