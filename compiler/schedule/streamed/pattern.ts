/**
 * What can be streamed: a map around one fold over s with a running maximum,
 *
 *     out[rows…, e] = result(m, z, acc…),   m = max_s a[rows, s],   each sum: Σ_s exp(a[rows, s] - m) · w[rows, s (, e)]
 *
 * where the scores a are an expression around sums Σ_c fixed[rows, c] · moving[s, c]. The last output axis e, the wide one, occurs
 * in the weighted terms of the sums that are called wide, and in the result.
 */
import { constantOf, productOf } from "../../graph/dim.ts";
import type { Axis, Fold, Node, Read, Reduce, Scalar } from "../../graph/node.ts";
import { bottomUp, children, freeNames, key, mul, name, num, read, some, substitute } from "../../graph/scalar.ts";
import { isStreamable } from "../nest/is-streamable.ts";
import { mergeNeighbours } from "../nest/merge-axes.ts";
import type { Nest } from "../nest/nest.ts";

/** Σ_c fixed · moving: what does not change with s, and what does. */
export interface Segment {
  /** c, as the fixed part indexes it; row-major they are the one axis that the moving part walks. */
  readonly axes: readonly Axis[];
  readonly length: number;
  readonly fixed: Scalar;
  readonly moving: Scalar;
  /** Index of the moving part. */
  readonly along: string;
}
/** Sums that are added to each other in the scores: one accumulator. */
export interface InnerSum {
  /** What it stands for in the scores. */
  readonly of: Scalar;
  readonly segments: readonly Segment[];
}
/** Σ_s exp(a - m) · weight. */
export interface WeightedSum {
  /** Stands for it in the result. */
  readonly value: Read;
  readonly weight: Scalar;
}
export interface Pattern {
  readonly rows: readonly Axis[];
  readonly wide: Axis;
  /** s. */
  readonly axis: Axis;
  readonly where: Scalar | null;
  readonly score: Scalar;
  readonly sums: readonly InnerSum[];
  /** Stands for m in the result. */
  readonly max: Read;
  /** Sums without the wide axis. */
  readonly narrow: readonly WeightedSum[];
  readonly spread: readonly WeightedSum[];
  /** Of the values above; holds no fold. */
  readonly result: Scalar;
}

/** Null where the nest is nothing of the kind. */
export function patternOf(nest: Nest): Pattern | null {
  const wide = nest.axes.at(-1);
  const fold = onlyFold(nest.body);
  if (wide === undefined || fold === null || nest.where !== null || constantOf(wide.size) === null) return null;
  const rows = nest.axes.slice(0, -1);
  const steps = stepsOf(fold, rows, wide);
  if (steps === null || freeNames(steps.score).has(wide.name)) return null;
  if (fold.where !== null && (freeNames(fold.where).has(wide.name) || hasReduction(fold.where))) return null;
  const sums = sumsOf(steps.score, fold.axis.name);
  if (sums === null || sums.length === 0 || steps.spread.length === 0) return null;
  const replaced = substitute(fold.result, steps.values);
  const result = bottomUp(nest.body, (e) => (e.kind === "fold" ? replaced : e));
  if (hasReduction(result)) return null;
  const { score, max, narrow, spread } = steps;
  return { rows, wide, axis: fold.axis, where: fold.where, score, sums, max, narrow, spread, result };
}

const hasReduction = (e: Scalar): boolean => some(e, (x) => x.kind === "reduce" || x.kind === "fold");

/** The one fold of an expression, however often it occurs. */
function onlyFold(e: Scalar): Fold | null {
  const found = new Map<string, Fold>();
  const visit = (x: Scalar): void => {
    if (x.kind === "fold") found.set(key(x), x);
    else children(x).forEach(visit);
  };
  visit(e);
  const [only] = found.values();
  return only !== undefined && found.size === 1 && isStreamable(only) ? only : null;
}

interface Steps {
  readonly score: Scalar;
  readonly max: Read;
  readonly narrow: readonly WeightedSum[];
  readonly spread: readonly WeightedSum[];
  readonly values: ReadonlyMap<string, Scalar>;
}

function stepsOf(fold: Fold, rows: readonly Axis[], wide: Axis): Steps | null {
  const lets = new Map<string, Scalar>();
  const values = new Map<string, Scalar>();
  const place = rows.map((a) => name(a.name));
  const stand = (n: string, at: readonly Scalar[]): Read => {
    const r = read(standIn(n, values.size), at);
    values.set(n, r);
    return r;
  };
  let max: { readonly score: Scalar; readonly name: string; readonly value: Read } | null = null;
  const [narrow, spread]: [WeightedSum[], WeightedSum[]] = [[], []];
  for (const s of fold.steps) {
    const body = substitute(s.body, lets);
    if (s.how === "let") lets.set(s.name, body);
    else if (s.how === "max") {
      if (max !== null) return null;
      max = { score: body, name: s.name, value: stand(s.name, place) };
    } else {
      const weight = s.how === "sum" && max !== null ? weightOf(body, max) : null;
      if (weight === null || hasReduction(weight) || [...values.keys()].some((n) => freeNames(weight).has(n)))
        return null;
      if (freeNames(weight).has(wide.name)) spread.push({ value: stand(s.name, [...place, name(wide.name)]), weight });
      else narrow.push({ value: stand(s.name, place), weight });
    }
  }
  return max === null ? null : { score: max.score, max: max.value, narrow, spread, values };
}

/** A node that no operand is: values are given to reads of it. */
const standIn = (n: string, at: number): Node => ({
  kind: "input",
  id: firstStandIn + at,
  name: n,
  type: { dtype: "f32", dims: [] },
});
/** Above the ids of operands. */
const firstStandIn = 2e9;

const factorsOf = (e: Scalar): readonly Scalar[] =>
  e.kind === "call" && e.fn === "mul" ? e.args.flatMap(factorsOf) : [e];
const product = (factors: readonly Scalar[]): Scalar => factors.reduce((a, b) => mul(a, b), num(1) as Scalar);

/** What exp(score - max) is multiplied by; null where it is no factor. */
function weightOf(body: Scalar, max: { readonly score: Scalar; readonly name: string }): Scalar | null {
  const factors = factorsOf(body);
  const isExp = (e: Scalar): boolean => {
    const [difference] = e.kind === "call" && e.fn === "exp" ? e.args : [];
    const [a, m] = difference?.kind === "call" && difference.fn === "sub" ? difference.args : [];
    return a !== undefined && m?.kind === "name" && m.name === max.name && key(a) === key(max.score);
  };
  const exps = factors.filter(isExp);
  return exps.length === 1 ? product(factors.filter((e) => !isExp(e))) : null;
}

/** The sums in the scores; null where something else is reduced there, or a term does not come apart. */
function sumsOf(score: Scalar, s: string): readonly InnerSum[] | null {
  const found = new Map<string, InnerSum>();
  const visit = (e: Scalar): boolean => {
    const parts = joined(e);
    if (parts === null) return e.kind !== "fold" && e.kind !== "reduce" && children(e).every(visit);
    const segments = parts.map((p) => segmentOf(p, s));
    const whole = segments.filter((x) => x !== null);
    found.set(key(e), { of: e, segments: whole });
    return whole.length === segments.length;
  };
  return visit(score) ? [...found.values()] : null;
}
function joined(e: Scalar): readonly Reduce[] | null {
  if (e.kind === "reduce") return e.monoid === "sum" && e.where === null ? [e] : null;
  if (e.kind !== "call" || e.fn !== "add") return null;
  const parts = e.args.map(joined);
  return parts.every((p) => p !== null) ? parts.flat() : null;
}
function segmentOf(e: Reduce, s: string): Segment | null {
  const length = constantOf(productOf(e.axes.map((a) => a.size)));
  if (length === null || length < 1 || hasReduction(e.body)) return null;
  const factors = factorsOf(e.body);
  const moves = (x: Scalar): boolean => freeNames(x).has(s);
  const moving = product(factors.filter(moves));
  const [[only, ...others], [body = moving]] = mergeNeighbours(e.axes, [moving]);
  if (only === undefined || others.length > 0 || !factors.some(moves)) return null;
  return { axes: e.axes, length, fixed: product(factors.filter((x) => !moves(x))), moving: body, along: only.name };
}
