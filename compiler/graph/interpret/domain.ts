/**
 * The points of one axis at which a guard holds, as runs of neighbours. Of a conjunction, parts that do not depend on the
 * axis are asked once, comparisons affine in it become bounds; what is left is evaluated at each point.
 */
import { affineOf } from "../affine.ts";
import type { Dim } from "../dim.ts";
import { isIntegral } from "../integral.ts";
import type { Axis, Call, Scalar } from "../node.ts";
import { call, freeNames, num, substitute } from "../scalar.ts";
import { type Along, alongAxis, type Closure, type Code, type Scope } from "./code.ts";
import type { Stream } from "./stream.ts";

export interface Domain {
  readonly size: Closure;
  /** Visits the runs within from..to-1 in ascending order. */
  readonly runs: (from: number, to: number, visit: (from: number, n: number) => void) => void;
}

type Part =
  | { readonly kind: "once"; readonly holds: Closure }
  /** The axis is at least, or at most, this. */
  | { readonly kind: "from" | "to"; readonly at: Closure };

export function compileDomain(code: Code, axis: Axis, where: Scalar | null, scope: Scope): Domain {
  const size = code.dim(axis.size);
  const along = alongAxis(code, axis.name);
  if (where === null) {
    return { size, runs: (from, to, visit) => (from < to ? visit(from, to - from) : undefined) };
  }
  const conjuncts = conjunctsOf(where);
  const parts: Part[] = [];
  // In their order: a part may only be asked where those before it hold.
  while (conjuncts[0] !== undefined) {
    const part = partOf(code, conjuncts[0], along, scope);
    if (part === null) break;
    parts.push(part);
    conjuncts.shift();
  }
  const [first, ...others] = conjuncts;
  const rest = first === undefined ? null : others.reduce((a, b) => call("and", a, b), first);
  const guard = rest === null ? null : code.stream(rest, along, scope);
  return {
    size,
    runs: (from, to, visit) => {
      let [low, high] = [from, to];
      for (const p of parts) {
        if (low >= high) return;
        if (p.kind === "once") {
          if (p.holds() === 0) return;
        } else if (p.kind === "from") low = Math.max(low, p.at());
        else high = Math.min(high, p.at() + 1);
      }
      if (low >= high) return;
      if (guard === null) visit(low, high - low);
      else runsOf(guard, low, high - low, visit);
    },
  };
}

/** Runs of points at which the guard is not 0. */
export function runsOf(guard: Stream, from: number, n: number, visit: (from: number, n: number) => void): void {
  guard.load(from, n);
  const { data, offset, step } = guard;
  if (step === 0) {
    if (data[offset] !== 0) visit(from, n);
    return;
  }
  // What is visited may load the same guard again.
  const holds = Array.from({ length: n }, (_, i) => data[offset + i * step] !== 0);
  for (let i = 0; i < n; i += 1) {
    if (!holds[i]) continue;
    let end = i + 1;
    while (end < n && holds[end]) end += 1;
    visit(from + i, end - i);
    i = end;
  }
}

const conjunctsOf = (e: Scalar): Scalar[] => (e.kind === "call" && e.fn === "and" ? e.args.flatMap(conjunctsOf) : [e]);

function partOf(code: Code, e: Scalar, along: Along, scope: Scope): Part | null {
  if (!freeNames(e).has(along.name)) return { kind: "once", holds: code.scalar(e, scope) };
  if (e.kind !== "call" || (e.fn !== "le" && e.fn !== "lt")) return null;
  return boundOf(code, e, along, scope);
}

/** a <= b with whole sides that are affine in the axis, by 1 or -1 in all: the axis is bounded by what is left at 0. */
function boundOf(code: Code, e: Call, along: Along, scope: Scope): Part | null {
  const [a, b] = e.args;
  if (a === undefined || b === undefined || !isIntegral(a) || !isIntegral(b)) return null;
  const gap: Scalar = { kind: "call", fn: "sub", args: [b, a] };
  const slope = slopeOf(gap, along.name);
  if (slope === null || (slope.key !== "1" && slope.key !== "-1")) return null;
  const least = code.scalar(substitute(gap, new Map([[along.name, num(0)]])), scope);
  const strict = e.fn === "lt" ? 1 : 0;
  // gap(axis) = slope · axis + least >= strict
  if (slope.key === "1") return { kind: "from", at: () => strict - least() };
  return { kind: "to", at: () => least() - strict };
}

/** The factor of a name in an affine expression; null where it occurs in another way. */
export function slopeOf(e: Scalar, name: string): Dim | null {
  const { terms } = affineOf(e);
  let slope: Dim | null = null;
  for (const { atom, coefficient } of terms.values()) {
    if (atom.kind === "name" && atom.name === name) slope = coefficient;
    else if (freeNames(atom).has(name)) return null;
  }
  return slope;
}
