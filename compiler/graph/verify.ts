/**
 * Invariants of the tensor graph.
 *
 *  1. Every name is bound, and none twice within a node: no shadowing, so that substitution captures nothing.
 *  2. A read has one index an axis, each a whole number by its structure and not provably out of range. `select`, `and`,
 *     `or` and `where` guard what they decide about; an interval counts as reached at its ends only if it surely is.
 *  3. A fold step depends on earlier accumulators through factors exp(x - m) of a sum over a `max m` alone, never on a
 *     later step; the result depends on accumulators, on neither the axis nor a `let`. Folds are no i64.
 *  4. The carry and index of a repeat, and what depends on them, are used below it alone and are no result of the graph;
 *     what it starts from, carries and yields has one type.
 *  5. Equal nodes are one node.
 *  6. An append fits its state: leading indices in range, rows of its shape and dtype, as many rows as the sum says. It is
 *     an effect of the region it lies in, listed there once; in a repeat its place depends on the index; no two appends
 *     of a region go to one place.
 *  7. A state is read through its append, or directly at rows that are proved to be old (an axis of that size, or
 *     `select(s < S0, …)`) or come from an index tensor.
 *  8. Every name in a size is declared in the graph, with whole bounds 0 <= low <= high.
 *  9. A node of whole numbers has a body of whole numbers; functions have as many arguments as their entry says.
 */
import type { Facts } from "../../dsl/types/facts.ts";
import { noFacts, withBounds, withNonNegative } from "../../dsl/types/facts.ts";
import { atomsOf, constant, symbolKey } from "../../dsl/types/poly.ts";
import { addDim, compareDims, type Dim, type LowerBounds, printDim, subDim, zeroDim } from "./dim.ts";
import { type Place, within } from "./index-range.ts";
import { isIntegral, isWholeType } from "./integral.ts";
import type { Append, Axis, Graph, Node, Repeat, Scalar, TensorType } from "./node.ts";
import { boundAxes, key, readsOf, walk } from "./scalar.ts";
import { isSizeName } from "./text-form.ts";
import { checkIndex, checkScalar, type Say } from "./verify-scalar.ts";
import { axesOf, expressionsOf, isComputed, nodesOf, operandsOf, regions, topological } from "./walk.ts";

export interface Problem {
  /** Null for a problem of the graph itself. */
  readonly node: Node | null;
  /** Number of the invariant. */
  readonly rule: number;
  readonly text: string;
}
export const printProblem = (p: Problem): string => `${p.node === null ? "graph" : `%${p.node.name}`}: ${p.text}`;

export function verify(g: Graph): readonly Problem[] {
  const problems: Problem[] = [];
  const sayOf =
    (node: Node | null): Say =>
    (rule, text) =>
      void problems.push({ node, rule, text });
  const order = nodesOf(g);
  const region = regions(order);
  const counts = new Map(order.flatMap((n) => (n.kind === "repeat" ? [[n.index, n.count] as const] : [])));
  const place: Place = { facts: factsOf(g), names: new Map(), counts, reachable: true };
  checkSizes(g, order, sayOf);
  checkRegions(g, order, region, sayOf);
  checkEqual(order, sayOf);
  checkAppends(g, order, region, sayOf);
  for (const n of order) checkExpressions(n, place, sayOf(n));
  return problems;
}

type SayOf = (node: Node | null) => Say;

/** By sizes and bounds, which passes hand on: what is known about them is found out once. */
const factsMemo = new WeakMap<object, Facts>();
function factsOf(g: Graph): Facts {
  const known = factsMemo.get(g.bounds ?? g.sizes);
  if (known !== undefined) return known;
  let facts: Facts = noFacts;
  for (const [name, { low, high }] of g.sizes) {
    if (!Number.isSafeInteger(low)) continue;
    const upper = Number.isSafeInteger(high) ? constant(high) : null;
    facts = withBounds(facts, symbolKey(name), { lower: constant(low), upper });
  }
  for (const { low, high } of g.bounds ?? []) facts = withNonNegative(facts, subDim(high, low));
  factsMemo.set(g.bounds ?? g.sizes, facts);
  return facts;
}

function checkExpressions(n: Node, outside: Place, say: Say): void {
  if (n.kind === "append") {
    n.at.forEach((e, i) => {
      checkScalar(e, outside, say);
      checkIndex(e, { value: n.state, axis: i }, outside, say);
    });
  }
  if (!isComputed(n)) return;
  const axes = axesOf(n);
  if (new Set(axes.map((a) => a.name)).size !== axes.length) say(1, "binds an index twice");
  const place = within(outside, axes);
  if (n.kind === "top_k" && n.where !== null) {
    checkScalar(n.where, place, say);
    checkScalar(n.body, place, say, n.where);
  } else checkScalar(n.body, place, say);
  if (n.kind === "map" && isWholeType(n.type.dtype) && !isIntegral(n.body)) {
    say(9, `is ${n.type.dtype}, its body is no whole number`);
  }
}

/** Dims that stand anywhere in a node. */
function dimsIn(n: Node): readonly Dim[] {
  const out: Dim[] = [...n.type.dims];
  const axes = (list: readonly Axis[]): void => void out.push(...list.map((a) => a.size));
  if (isComputed(n)) axes(axesOf(n));
  if (n.kind === "repeat") out.push(n.count);
  for (const e of expressionsOf(n)) {
    walk(e, (x) => {
      axes(boundAxes(x));
      if (x.kind === "dim") out.push(x.dim);
    });
  }
  return out;
}

function checkSizes(g: Graph, order: readonly Node[], sayOf: SayOf): void {
  for (const [name, { low, high }] of g.sizes) {
    const whole = Number.isInteger(low) && (Number.isInteger(high) || high === Number.POSITIVE_INFINITY);
    if (!isSizeName(name)) sayOf(null)(8, `${name} is no name of a size`);
    if (!whole || low < 0 || high < low) sayOf(null)(8, `size ${name} in ${low}..${high} has no whole value`);
  }
  const declared = (n: Node | null, dims: readonly Dim[]): void => {
    const unknown = new Set<string>();
    for (const d of dims) {
      for (const atom of atomsOf(d).values()) {
        const isName = atom.kind === "symbol" || atom.kind === "index" || atom.kind === "value";
        if (isName && !(atom.kind === "symbol" && g.sizes.has(atom.name))) unknown.add(atom.name);
      }
    }
    for (const name of unknown) sayOf(n)(8, `size ${name} is not declared`);
  };
  for (const { low, high } of g.bounds ?? []) declared(null, [low, high]);
  for (const n of order) declared(n, dimsIn(n));
}

const sameType = (a: TensorType, b: TensorType): boolean =>
  a.dtype === b.dtype && a.dims.length === b.dims.length && a.dims.every((d, i) => d.key === b.dims[i]?.key);

function checkRegions(g: Graph, order: readonly Node[], region: ReadonlyMap<Node, Repeat>, sayOf: SayOf): void {
  const regionOf = (n: Node): Repeat | null => region.get(n) ?? null;
  /** Whether what lies in `inner` may use what lies in `outer`. */
  const encloses = (outer: Repeat | null, inner: Repeat | null): boolean => {
    for (let r = inner; ; r = regionOf(r)) {
      if (r === outer) return true;
      if (r === null) return false;
    }
  };
  const owners = new Map<Node, Repeat>();
  for (const n of order) {
    const here = n.kind === "repeat" ? n : regionOf(n);
    for (const o of operandsOf(n)) {
      const inside = regionOf(o);
      if (!encloses(inside, here)) sayOf(n)(4, `uses %${o.name}, which lies inside the repeat %${inside?.name}`);
    }
    if ((n.kind === "carry" || n.kind === "loop_index") && regionOf(n) === null)
      sayOf(n)(4, "stands outside of its repeat");
    if (n.kind !== "repeat") continue;
    for (const part of [n.carry, n.index]) {
      if (owners.has(part)) sayOf(n)(4, `shares %${part.name} with %${owners.get(part)?.name}`);
      owners.set(part, n);
    }
    for (const part of [n.init, n.carry]) {
      if (!sameType(part.type, n.body.type)) sayOf(n)(4, `%${part.name} and %${n.body.name} have different types`);
    }
  }
  for (const n of g.results) if (regionOf(n) !== null) sayOf(n)(4, "is a result, and lies inside a repeat");
}

function checkEqual(order: readonly Node[], sayOf: SayOf): void {
  const known = new Set<string>();
  for (const n of order) {
    const id = identityOf(n);
    if (id === null) continue;
    if (known.has(id)) sayOf(n)(5, "an equal node exists: not made by one builder");
    known.add(id);
  }
}
function identityOf(n: Node): string | null {
  if (n.kind === "input" || n.kind === "weight" || n.kind === "state") return `${n.kind} ${n.name}`;
  if (n.kind === "append") return `append ${n.state.id} ${n.at.map((e) => key(e)).join()} ${n.rows.id}`;
  if (!isComputed(n)) return null;
  const axes = axesOf(n);
  const scope = new Map(axes.map((a, i) => [a.name, `$${i}`]));
  const bodies = expressionsOf(n).map((e) => key(e, scope));
  const dims = [...axes.map((a) => a.size), ...n.type.dims].map((d) => d.key);
  return `${n.kind} ${n.type.dtype} ${dims.join()} ${bodies.join("|")}`;
}

function checkAppends(g: Graph, order: readonly Node[], region: ReadonlyMap<Node, Repeat>, sayOf: SayOf): void {
  const lower: LowerBounds = new Map([...g.sizes].map(([n, r]) => [n, r.low]));
  const listed = new Map<Append, Repeat | null>();
  const list = (effects: readonly Append[], where: Repeat | null): void => {
    for (const a of effects) {
      if (listed.has(a)) sayOf(a)(6, "is listed as an effect twice");
      listed.set(a, where);
    }
  };
  list(g.effects, null);
  for (const n of order) if (n.kind === "repeat") list(n.effects, n);
  const leading = new Map<Node, number>();
  const places = new Set<string>();
  for (const n of order) {
    if (n.kind !== "append") continue;
    const say = sayOf(n);
    const here = region.get(n) ?? null;
    if (listed.get(n) !== here) say(6, here === null ? "is no effect of the graph" : `is no effect of %${here.name}`);
    for (let r = here; r !== null; r = region.get(r) ?? null) {
      if (!n.at.some((e) => dependsOn(e, r.index))) say(6, `writes the same place in every round of %${r.name}`);
    }
    const place = `${n.state.id} ${n.at.map((e) => key(e)).join()}`;
    if (places.has(place)) say(6, `another append writes to this place of %${n.state.name}`);
    places.add(place);
    if ((leading.get(n.state) ?? n.at.length) !== n.at.length) say(6, "has another number of leading indices");
    leading.set(n.state, n.at.length);
    checkShape(n, lower, say);
  }
}

function dependsOn(e: Scalar, index: Node): boolean {
  return topological(readsOf(e).map((r) => r.value)).includes(index);
}

function checkShape(n: Append, lower: LowerBounds, say: Say): void {
  const before = n.state.type.dims[n.at.length];
  const row = n.state.type.dims.slice(n.at.length + 1);
  const [added, ...rest] = n.rows.type.dims;
  if (before === undefined || added === undefined) return say(6, `%${n.state.name} has no axis of rows`);
  if (rest.length !== row.length || rest.some((d, i) => compareDims(d, row[i] ?? zeroDim, lower) === "different")) {
    say(6, `rows of %${n.rows.name} do not fit %${n.state.name}`);
  }
  if (n.rows.type.dtype !== n.state.type.dtype) {
    say(6, `rows are ${n.rows.type.dtype}, %${n.state.name} is ${n.state.type.dtype}`);
  }
  const [remembered] = n.type.dims;
  const sum = addDim(before, added);
  if (remembered !== undefined && compareDims(remembered, sum, lower) === "different") {
    say(6, `remembers ${printDim(remembered)} rows, not ${printDim(sum)}`);
  }
}
