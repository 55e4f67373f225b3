/** What a nest looks like to those who choose plans for it. */
import { constantOf, type Sizes } from "../graph/dim.ts";
import type { Axis, Reduce, Scalar } from "../graph/node.ts";
import { children, freeNames, key, some, walk } from "../graph/scalar.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { factorOf } from "./lift/spell-dim.ts";
import { vectorAlong, widthAlong } from "./lift/vector-along.ts";
import type { Nest } from "./nest/nest.ts";
import type { TilePlan, Walk } from "./tile-plan.ts";

export interface Shape {
  readonly nest: Nest;
  readonly sizes: Sizes;
  readonly target: KernelTarget;
  readonly reduces: readonly Reduce[];
  /** Axes whose places each choose a branch of their own. */
  readonly whole: readonly Axis[];
  readonly others: readonly Axis[];
}

export function shapeOf(nest: Nest, sizes: Sizes, target: KernelTarget): Shape {
  const reduces = nest.where === null ? outermost(nest.body) : [...outermost(nest.body), ...outermost(nest.where)];
  const whole = nest.axes.filter((a) => isSelector(nest.body, a));
  return { nest, sizes, target, reduces, whole, others: nest.axes.filter((a) => !whole.includes(a)) };
}

/** All places of short axes side by side, one of each other but of those that have walks of their own. */
export function walksOf(
  { whole, others }: Shape,
  own: readonly (readonly [Axis | undefined, Walk])[],
): ReadonlyMap<string, Walk> {
  const walks = new Map<string, Walk>(whole.map((a) => [a.name, { kind: "whole" }]));
  for (const a of others) walks.set(a.name, { kind: "tile", count: 1 });
  for (const [a, walk] of own) if (a !== undefined) walks.set(a.name, walk);
  return walks;
}

/** Vectors along an output axis, where what is computed and what is read allow them. */
export function outputVectors(nest: Nest, a: Axis, target: KernelTarget): TilePlan["along"] {
  let width = widthAlong(nest.body, a.name, target.vector);
  if (nest.where !== null) width = widthAlong(nest.where, a.name, width);
  // Rows before it begin at multiples of the width, or are not there.
  if (nest.axes.length > 1) while (width > 1 && factorOf(a.size) % width !== 0) width /= 2;
  return width > 1 ? { axis: a.name, width } : null;
}

/** The longest axis of it, or of a sum inside of it, in vectors; what a call decides counts as long. */
export function longestAxis(r: Reduce, target: KernelTarget): { readonly vectors: number; readonly width: number } {
  let longest = { vectors: 0, width: 1 };
  walk(r, (x) => {
    if (x.kind !== "reduce") return;
    for (const a of x.axes) {
      const width = vectorAlong(x, a, target.vector);
      const vectors = (constantOf(a.size) ?? Number.POSITIVE_INFINITY) / width;
      if (vectors * width > longest.vectors * longest.width) longest = { vectors, width };
    }
  });
  return longest;
}

/** A short axis by which branches are chosen: written out, each place computes its own branch. */
export function isSelector(e: Scalar, a: Axis): boolean {
  const n = constantOf(a.size);
  if (n === null || n > 4) return false;
  let found = false;
  walk(e, (x) => {
    const [condition] = x.kind === "call" && x.fn === "select" ? x.args : [];
    if (condition !== undefined && freeNames(condition).has(a.name) && !some(condition, (y) => y.kind === "read"))
      found = true;
  });
  return found;
}

/** Each once: both halves of a rotation read the same sums. */
function outermost(e: Scalar): readonly Reduce[] {
  const found = new Map<string, Reduce>();
  const visit = (x: Scalar): void => {
    if (x.kind === "reduce") found.set(key(x), x);
    else children(x).forEach(visit);
  };
  visit(e);
  return [...found.values()];
}
