/** Reductions: the last axis is streamed; along an axis of the node instead, where that makes the longer loops. */

import type { Monoid } from "../../ops/scalar-functions.ts";
import { monoids } from "../../ops/scalar-functions.ts";
import type { Reduce, Scalar } from "../node.ts";
import { freeNames } from "../scalar.ts";
import { type Along, alongAxis, type Closure, type Code, type Scope, type WideClosure, withSlots } from "./code.ts";
import { compileDomain } from "./domain.ts";
import { slotsOf } from "./free-slots.ts";
import { addProductTo, addTo, dotOf, maxOf, minOf, type Run, sumOf } from "./loops.ts";
import { Stream } from "./stream.ts";
import { isWide, wideMonoids } from "./wide.ts";

interface Loop {
  readonly slot: number;
  readonly size: Closure;
}
const loopsOf = (code: Code, e: Reduce, count: number): readonly Loop[] =>
  e.axes.slice(0, count).map((a) => ({ slot: code.slot(a.name), size: code.dim(a.size) }));

/** Visits every point of the loops, the last one running fastest. */
export function eachPoint(env: Float64Array, loops: readonly Loop[], visit: () => void, depth = 0): void {
  const loop = loops[depth];
  if (loop === undefined) return visit();
  const size = loop.size();
  for (let i = 0; i < size; i += 1) {
    env[loop.slot] = i;
    eachPoint(env, loops, visit, depth + 1);
  }
}

/** Continues `acc` over the points from..from+n-1 of an axis. */
export type Accumulate = (acc: number, from: number, n: number) => number;

export function compileReduce(code: Code, e: Reduce, scope: Scope): Closure {
  const last = e.axes.at(-1);
  if (last === undefined) return code.scalar(e.body, scope);
  const inner = withSlots(
    code,
    scope,
    e.axes.map((a) => a.name),
  );
  const outer = loopsOf(code, e, e.axes.length - 1);
  const domain = compileDomain(code, last, e.where, inner);
  const accumulate = accumulateOf(code, e, alongAxis(code, last.name), inner);
  const { identity } = monoids[e.monoid];
  const { env } = code;
  let acc: number = identity;
  const add = (from: number, n: number): void => {
    acc = accumulate(acc, from, n);
  };
  const row = (): void => domain.runs(0, domain.size(), add);
  if (outer.length === 0) {
    return () => {
      acc = identity;
      row();
      return acc;
    };
  }
  return () => {
    acc = identity;
    eachPoint(env, outer, row);
    return acc;
  };
}

/** The two sides of a product that a sum multiplies as it adds. */
export const sidesOf = (monoid: Monoid, body: Scalar): readonly [Scalar, Scalar] | null => {
  const [a, b] = monoid === "sum" && body.kind === "call" && body.fn === "mul" ? body.args : [];
  return a === undefined || b === undefined || isWide(a) || isWide(b) ? null : [a, b];
};

export interface Term {
  readonly monoid: Monoid;
  readonly body: Scalar;
}
export function accumulateOf(code: Code, { monoid, body: term }: Term, along: Along, scope: Scope): Accumulate {
  const sides = sidesOf(monoid, term);
  if (sides !== null) {
    const [a, b] = [code.stream(sides[0], along, scope), code.stream(sides[1], along, scope)];
    return (acc, from, n) => {
      a.load(from, n);
      b.load(from, n);
      return dotOf(acc, n, a, b);
    };
  }
  const body = code.stream(term, along, scope);
  const loop = accumulator(monoid);
  return (acc, from, n) => {
    body.load(from, n);
    return loop(acc, n, body);
  };
}

/** Continues an accumulator over the elements of a stream. */
function accumulator(monoid: Monoid): (acc: number, n: number, a: Run) => number {
  switch (monoid) {
    case "sum":
      return sumOf;
    case "max":
      return maxOf;
    case "min":
      return minOf;
    default: {
      const { combine } = monoids[monoid];
      return (acc, n, { data, offset, step }) => {
        let out = acc;
        for (let i = 0; i < n; i += 1) out = combine(out, data[offset + i * step] as number);
        return out;
      };
    }
  }
}

/**
 * A reduction at many points of `along`. Point by point, each a loop over the reduced axis; or, where that is the shorter
 * one, reduced point by reduced point for all of them: the additions of one result come in the same order either way.
 */
export function reduceStream(code: Code, e: Reduce, along: Along, scope: Scope, single: Stream): Stream {
  if (isWide(e) || isWide(e.body)) return single;
  if (e.where !== null && freeNames(e.where).has(along.name)) return single;
  return new Across(code, e, along, scope, single);
}

class Across extends Stream {
  readonly #code: Code;
  readonly #e: Reduce;
  readonly #loops: readonly Loop[];
  readonly #single: Stream;
  readonly #compile: () => (from: number, n: number, out: Float64Array) => void;
  #out = new Float64Array(8);
  #step: ((from: number, n: number, out: Float64Array) => void) | null = null;
  constructor(code: Code, e: Reduce, along: Along, scope: Scope, single: Stream) {
    super(slotsOf(e, scope, along.name));
    this.#code = code;
    this.#e = e;
    this.#single = single;
    this.#loops = loopsOf(code, e, e.axes.length);
    const inner = withSlots(
      code,
      scope,
      e.axes.map((a) => a.name),
    );
    this.#compile = () => stepOf(code, e, along, inner);
  }
  load(from: number, n: number): void {
    let points = 1;
    for (const l of this.#loops) points *= l.size();
    if (n < 4 || points > n) {
      this.#single.load(from, n);
      this.data = this.#single.data;
      this.offset = this.#single.offset;
      this.step = this.#single.step;
      return;
    }
    this.#step ??= this.#compile();
    const step = this.#step;
    if (this.#out.length < n) this.#out = new Float64Array(2 * n);
    const out = this.#out.fill(monoids[this.#e.monoid].identity, 0, n);
    eachPoint(this.#code.env, this.#loops, () => step(from, n, out));
    this.data = out;
    this.offset = 0;
    this.step = 1;
  }
}

/** Takes one reduced point into the results of all points of `along`. */
function stepOf(
  code: Code,
  e: Reduce,
  along: Along,
  scope: Scope,
): (from: number, n: number, out: Float64Array) => void {
  const where = e.where === null ? null : code.scalar(e.where, scope);
  const sides = sidesOf(e.monoid, e.body);
  if (sides !== null) {
    const [a, b] = [code.stream(sides[0], along, scope), code.stream(sides[1], along, scope)];
    return (from, n, out) => {
      if (where !== null && where() === 0) return;
      a.load(from, n);
      b.load(from, n);
      if (b.step === 0) addProductTo(n, out, b, a);
      else addProductTo(n, out, a, b);
    };
  }
  const body = code.stream(e.body, along, scope);
  const { combine } = monoids[e.monoid];
  return (from, n, out) => {
    if (where !== null && where() === 0) return;
    body.load(from, n);
    if (e.monoid === "sum") return addTo(n, out, body);
    const { data, offset, step } = body;
    for (let i = 0; i < n; i += 1) out[i] = combine(out[i] as number, data[offset + i * step] as number);
  };
}

/** A reduction in 64 bit, point by point. */
export function compileWideReduce(code: Code, e: Reduce, scope: Scope): WideClosure | null {
  const monoid = wideMonoids[e.monoid];
  if (monoid === undefined) return null;
  const inner = withSlots(
    code,
    scope,
    e.axes.map((a) => a.name),
  );
  const loops = loopsOf(code, e, e.axes.length);
  const where = e.where === null ? null : code.scalar(e.where, inner);
  const body = code.wide(e.body, inner);
  return () => {
    let acc = monoid.identity;
    eachPoint(code.env, loops, () => {
      if (where === null || where() !== 0) acc = monoid.combine(acc, body());
    });
    return acc;
  };
}
