/** Expressions of a graph as functions that give their value with the bound of its error (rounding.ts). */
import { evalDim } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import { isWide } from "../graph/interpret/wide.ts";
import type { Fold, Read, Reduce, Scalar } from "../graph/node.ts";
import { type Monoid, monoids } from "../ops/scalar-functions.ts";
import { kindOf } from "../schedule/lift/kind.ts";
import { bound, type Evaluate, type Names, points, type Surroundings } from "./rounded-places.ts";
import { compileWide, compileWideTest } from "./rounded-wide.ts";
import { allowed, applyRounded, type Rounded, times, unit, unknown } from "./rounding.ts";

export function compileRounded(e: Scalar, names: Names, at: Surroundings): Evaluate {
  const out: Rounded = { value: 0, error: 0 };
  if (isWide(e)) {
    const exact = compileWide(e, names, at, compileRounded);
    return () => {
      const { value, certain } = exact();
      out.value = Number(value);
      out.error = certain ? 0 : unknown;
      return out;
    };
  }
  switch (e.kind) {
    case "const": {
      out.value = e.value;
      out.error = kindOf(e) === "whole" || !Number.isFinite(e.value) ? 0 : Math.abs(Math.fround(e.value) - e.value);
      return () => out;
    }
    case "dim":
      out.value = evalDim(e.dim, at.sizes);
      return () => out;
    case "name": {
      const known = names.get(e.name);
      if (known === undefined) throw new InternalError(`${e.name} is not bound`);
      return () => known;
    }
    case "read":
      return readOf(e, names, at, out);
    case "call": {
      const test = compileWideTest(e, names, at, compileRounded);
      if (test !== null) return testOf(test, out);
      const [a, b, c] = e.args.map((x) => compileRounded(x, names, at));
      if (a === undefined) throw new InternalError(`${e.fn} of nothing`);
      if (e.fn === "select" && b !== undefined && c !== undefined) return selectOf(a, b, c, out);
      if ((e.fn === "and" || e.fn === "or") && b !== undefined) return shortOf(e.fn, a, b, out);
      const whole = kindOf(e) === "whole";
      const nothing: Rounded = { value: 0, error: 0 };
      return () => {
        const x = a();
        applyRounded(e.fn, whole, x, b === undefined ? nothing : b(), out, at.arithmetic);
        return out;
      };
    }
    case "reduce":
      return reduceOf(e, names, at, out);
    case "fold":
      return foldOf(e, names, at);
    default:
      return e satisfies never;
  }
}

function testOf(test: () => boolean | null, out: Rounded): Evaluate {
  return () => {
    const holds = test();
    out.value = holds === true ? 1 : 0;
    out.error = holds === null ? 1 : 0;
    return out;
  };
}

function readOf(e: Read, names: Names, at: Surroundings, out: Rounded): Evaluate {
  const indices = e.at.map((x) => compileRounded(x, names, at));
  return () => {
    const { dims, data, error } = at.tensor(e.value);
    let [offset, certain] = [0, true];
    for (const [axis, index] of indices.entries()) {
      const { value, error: off } = index();
      const size = dims[axis] ?? 0;
      if (off !== 0 || !(value >= 0 && value < size && Number.isInteger(value))) certain = false;
      offset = offset * size + value;
    }
    // A place that rounding decides; one out of range is in a branch that rounding decides, the reference has seen to that.
    out.value = certain ? (data[offset] ?? Number.NaN) : Number.NaN;
    out.error = certain ? (error[offset] ?? 0) : unknown;
    return out;
  };
}

function selectOf(condition: Evaluate, then: Evaluate, otherwise: Evaluate, out: Rounded): Evaluate {
  return () => {
    const { value, error } = condition();
    if (error === 0) {
      const chosen = value !== 0 ? then() : otherwise();
      out.value = chosen.value;
      out.error = chosen.error;
      return out;
    }
    const [x, y] = [{ ...(value !== 0 ? then() : otherwise()) }, { ...(value !== 0 ? otherwise() : then()) }];
    out.value = x.value;
    const apart = Math.abs(x.value - y.value) + x.error + y.error;
    out.error = Number.isNaN(apart) ? unknown : apart;
    return out;
  };
}
function shortOf(fn: "and" | "or", a: Evaluate, b: Evaluate, out: Rounded): Evaluate {
  return () => {
    const x = { ...a() };
    const decided = x.error === 0 && (x.value !== 0) === (fn === "or");
    const y = decided ? x : b();
    applyRounded(fn, false, x, y, out);
    return out;
  };
}

function reduceOf(e: Reduce, names: Names, at: Surroundings, out: Rounded): Evaluate {
  const [inner, places] = bound(e.axes, names);
  const body = compileRounded(e.body, inner, at);
  const where = e.where === null ? null : compileRounded(e.where, inner, at);
  const sum = new Accumulator(e.monoid, kindOf(e) === "whole");
  return () => {
    sum.begin();
    points(e.axes, places, at.sizes, () => sum.point(where, body));
    sum.end(out);
    return out;
  };
}

/** As fold means: each step over all points, seeing the final values of those before it. */
function foldOf(e: Fold, names: Names, at: Surroundings): Evaluate {
  const [withAxis, places] = bound([e.axis], names);
  const inner = new Map(withAxis);
  const where = e.where === null ? null : compileRounded(e.where, inner, at);
  const lets: { readonly into: Rounded; readonly value: Evaluate }[] = [];
  const steps = e.steps.flatMap((s) => {
    const into: Rounded = { value: 0, error: 0 };
    const value = compileRounded(s.body, inner, at);
    inner.set(s.name, into);
    if (s.how === "let") {
      lets.push({ into, value });
      return [];
    }
    return [{ into, value, before: [...lets], sum: new Accumulator(s.how, false) }];
  });
  const result = compileRounded(e.result, inner, at);
  return () => {
    for (const { into, value, before, sum } of steps) {
      sum.begin();
      points([e.axis], places, at.sizes, () =>
        sum.point(where, () => {
          for (const l of before) Object.assign(l.into, l.value());
          return value();
        }),
      );
      sum.end(into);
    }
    return result();
  };
}

class Accumulator {
  readonly #monoid: Monoid;
  readonly #whole: boolean;
  #value = 0;
  /** Of what was combined. */
  #error = 0;
  #magnitude = 0;
  #count = 0;
  constructor(monoid: Monoid, whole: boolean) {
    this.#monoid = monoid;
    this.#whole = whole;
  }
  begin(): void {
    this.#value = monoids[this.#monoid].identity;
    this.#error = 0;
    this.#magnitude = 0;
    this.#count = 0;
  }
  point(where: Evaluate | null, body: Evaluate): void {
    const { value: reached, error: uncertain } = where === null ? always : where();
    if (uncertain === 0 && reached === 0) return;
    const { value, error } = body();
    if (uncertain === 0) return this.#add(value, error);
    // A term that rounding lets in or leaves out.
    if (this.#monoid === "sum") this.#add(reached === 0 ? 0 : value, Math.abs(value) + error);
    else this.#add(reached === 0 ? monoids[this.#monoid].identity : value, unknown);
  }
  #add(value: number, error: number): void {
    const before = this.#value;
    this.#value = monoids[this.#monoid].combine(before, value);
    this.#count += 1;
    switch (this.#monoid) {
      case "sum":
        this.#error += error;
        this.#magnitude += Math.abs(value);
        return;
      case "product":
        this.#error = times(before, error) + times(value, this.#error) + times(this.#error, error);
        if (!this.#whole) this.#error += 2 * unit * Math.abs(this.#value);
        return;
      case "max":
      case "min":
        this.#error = Number.isNaN(value) ? unknown : Math.max(this.#error, error);
        return;
      case "any":
      case "all":
        this.#error = Math.max(this.#error, error);
        return;
      default:
        return this.#monoid satisfies never;
    }
  }
  end(out: Rounded): void {
    out.value = this.#value;
    out.error = this.#error;
    if (this.#monoid === "any" || this.#monoid === "all") {
      const decided = this.#value === (this.#monoid === "any" ? 1 : 0);
      out.error = decided || this.#error === 0 ? this.#error : 1;
      return;
    }
    const exact = this.#whole || this.#count <= 1 || !Number.isFinite(this.#value);
    if (this.#monoid === "sum" && !exact) out.error += this.#count * unit * this.#magnitude;
    if (Number.isNaN(out.error) || (Number.isFinite(out.value) && Math.abs(out.value) + out.error > 3.4e38))
      out.error = unknown;
  }
}
const always: Rounded = { value: 1, error: 0 };

/** Whether a computed value is as near the reference's as f32 lets it be; a nan is met by a nan. */
export function isNear(got: number, want: number, error: number): boolean {
  if (error === unknown || got === want || (Number.isNaN(got) && Number.isNaN(want))) return true;
  return Math.abs(got - want) <= allowed(error);
}
