/** Whole numbers of 64 bits of a graph, exactly. One that rounding of reals decides is not certain, and may be any. */
import { isWide, wideComparisons, wideFunctions, wideMonoids, widen } from "../graph/interpret/wide.ts";
import type { Call, Read, Reduce, Scalar } from "../graph/node.ts";
import { bound, type Evaluate, type Names, points, type Surroundings } from "./rounded-places.ts";

interface WideValue {
  readonly value: bigint;
  readonly certain: boolean;
}
export type EvaluateWide = () => WideValue;
/** Compiles what is no i64. */
export type Real = (e: Scalar, names: Names, at: Surroundings) => Evaluate;
const uncertain: WideValue = { value: 0n, certain: false };
const certain = (value: bigint): WideValue => ({ value, certain: true });

/** As what lands in 64 bits: its parts are computed with 64 bits, too (graph/interpret/wide.ts). */
export function compileWide(e: Scalar, names: Names, at: Surroundings, real: Real): EvaluateWide {
  if (e.kind === "const") {
    const exact = certain(widen(e.value));
    return () => exact;
  }
  if (e.kind === "read" && e.value.type.dtype === "i64") return readOf(e, names, at, real);
  if (e.kind === "call" && e.fn === "select") return selectOf(e, names, at, real);
  if (e.kind === "call" && wideFunctions[e.fn] !== undefined) return callOf(e, names, at, real);
  if (e.kind === "reduce" && wideMonoids[e.monoid] !== undefined) return reduceOf(e, names, at, real);
  const value = real(e, names, at);
  return () => {
    const { value: found, error } = value();
    return error === 0 ? certain(widen(found)) : uncertain;
  };
}

/** A comparison of i64; null for anything else. */
export function compileWideTest(e: Call, names: Names, at: Surroundings, real: Real): (() => boolean | null) | null {
  const compare = wideComparisons[e.fn];
  if (compare === undefined || !e.args.some(isWide)) return null;
  const [a, b] = e.args.map((x) => compileWide(x, names, at, real));
  if (a === undefined || b === undefined) return null;
  return () => {
    const [x, y] = [a(), b()];
    return x.certain && y.certain ? compare(x.value, y.value) : null;
  };
}

function readOf(e: Read, names: Names, at: Surroundings, real: Real): EvaluateWide {
  const indices = e.at.map((x) => real(x, names, at));
  return () => {
    const { dims, error, wide } = at.tensor(e.value);
    let [offset, known] = [0, true];
    for (const [axis, index] of indices.entries()) {
      const { value, error: off } = index();
      const size = dims[axis] ?? 0;
      if (off !== 0 || !(value >= 0 && value < size && Number.isInteger(value))) known = false;
      offset = offset * size + value;
    }
    return known && error[offset] === 0 ? certain(wide?.[offset] ?? 0n) : uncertain;
  };
}
function selectOf(e: Call, names: Names, at: Surroundings, real: Real): EvaluateWide {
  const [c, ...both] = e.args;
  const condition: Evaluate = c === undefined ? () => ({ value: 0, error: 0 }) : real(c, names, at);
  const [then, otherwise] = both.map((x) => compileWide(x, names, at, real));
  return () => {
    const { value, error } = condition();
    if (error !== 0) return uncertain;
    return (value !== 0 ? then : otherwise)?.() ?? uncertain;
  };
}
function callOf(e: Call, names: Names, at: Surroundings, real: Real): EvaluateWide {
  const fn = wideFunctions[e.fn];
  const [a, b] = e.args.map((x) => compileWide(x, names, at, real));
  return () => {
    const [x, y] = [a?.() ?? uncertain, b?.() ?? certain(0n)];
    return x.certain && y.certain && fn !== undefined ? certain(fn(x.value, y.value)) : uncertain;
  };
}
function reduceOf(e: Reduce, names: Names, at: Surroundings, real: Real): EvaluateWide {
  const [inner, places] = bound(e.axes, names);
  const body = compileWide(e.body, inner, at, real);
  const where = e.where === null ? null : real(e.where, inner, at);
  const monoid = wideMonoids[e.monoid];
  return () => {
    let all = certain(monoid?.identity ?? 0n);
    points(e.axes, places, at.sizes, () => {
      const { value: reached, error } = where?.() ?? { value: 1, error: 0 };
      if (error === 0 && reached === 0) return;
      const x = body();
      const known = error === 0 && x.certain && all.certain && monoid !== undefined;
      all = known ? certain(monoid.combine(all.value, x.value)) : uncertain;
    });
    return all;
  };
}
