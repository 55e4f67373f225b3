/** Which items have anything to do in a launch that has some pieces of a weight at hand. */
import { affineOf } from "../graph/affine.ts";
import { constantOf } from "../graph/dim.ts";
import type { Axis, Node, Scalar } from "../graph/node.ts";
import { freeNames } from "../graph/scalar.ts";
import type { Body, Memory } from "../kernel/build.ts";
import { add, both, constant, either, lt, min, mul, name, op, sub } from "../kernel/expr.ts";
import type { Expr } from "../kernel/kernel.ts";
import { printExpr } from "../kernel/print.ts";
import { type Env, Lift } from "./lift/lift.ts";
import { dimExpr } from "./lift/spell-dim.ts";
import { asInteger } from "./lift/spell-function.ts";
import type { Nest } from "./nest/nest.ts";
import type { NestWindow } from "./nest/windows.ts";
import { plainName, walkOf } from "./tile-axes.ts";
import type { TilePlan } from "./tile-plan.ts";

/** Whether a piece is at hand. */
export const inWindow = (window: NestWindow, piece: Expr): Expr => overlaps(window, asInteger(piece), asInteger(piece));
/** Whether one from the first to the last of these is. */
function overlaps({ sizes }: NestWindow, first: Expr, last: Expr): Expr {
  const from = name(sizes.first);
  return both(op("le", from, last), lt(first, add(from, name(sizes.pieces))));
}

interface Item {
  readonly nest: Nest;
  readonly plan: TilePlan;
  readonly b: Body;
  readonly memory: ReadonlyMap<Node, Memory>;
}

/**
 * The same for all lanes, from the place of the item alone: by the span of its places where the piece is a sum of multiples of them, by
 * each where a few are looked up. Null where that says nothing.
 */
export function itemInWindow(window: NestWindow, item: Item): Expr | null {
  return inSpan(window, item) ?? inPlaces(window, item);
}

function inSpan(window: NestWindow, { nest, plan }: Item): Expr | null {
  const { terms, constant: base } = affineOf(window.at);
  const start = constantOf(base);
  if (start === null) return null;
  let [first, span] = [constant(start) as Expr, 0];
  for (const { atom, coefficient } of terms.values()) {
    const a = atom.kind === "name" ? nest.axes.find((x) => x.name === atom.name) : undefined;
    const [times, places] = [constantOf(coefficient), a === undefined ? null : spanOf(plan, a)];
    if (times === null || times < 0 || places === null) return null;
    first = add(first, mul(places.first, times));
    span += (places.count - 1) * times;
  }
  return overlaps(window, first, add(first, span));
}

/** Neighbours of an axis among which all places of an item are. */
function spanOf(plan: TilePlan, a: Axis): { readonly first: Expr; readonly count: number } | null {
  const walk = walkOf(plan, a);
  const width = plan.along?.axis === a.name ? plan.along.width : 1;
  const size = constantOf(a.size);
  if (walk.kind === "whole") return size === null ? null : { first: constant(0), count: size };
  if (walk.kind !== "tile" && walk.kind !== "dealt") return null;
  const count = walk.count * width * (walk.kind === "dealt" ? walk.among : 1);
  return { first: mul(name(`${plainName(a.name)}_block`), count), count };
}

/** More are not asked for one by one. */
const mostPlaces = 16;

function inPlaces(window: NestWindow, { nest, plan, b, memory }: Item): Expr | null {
  const lift = new Lift(b, memory);
  const names = freeNames(window.at);
  let envs: readonly Env[] = [new Map()];
  for (const a of nest.axes) {
    if (!names.has(a.name)) continue;
    const walk = walkOf(plan, a);
    if (walk.kind !== "tile" || plan.along?.axis === a.name || walk.count * envs.length > mostPlaces) return null;
    const last = sub(dimExpr(a.size), 1);
    const places = Array.from({ length: walk.count }, (_, i) => {
      const here = add(mul(name(`${plainName(a.name)}_block`), walk.count), i);
      return lift.bound(i === 0 ? here : min(here, last));
    });
    envs = envs.flatMap((env) => places.map((p) => new Map(env).set(a.name, p)));
  }
  const found = envs.map((env) => inWindow(window, lift.value(window.at satisfies Scalar, env)));
  const each = [...new Map(found.map((e) => [printExpr(e), e])).values()];
  const [one, ...others] = each;
  return one === undefined ? null : others.reduce(either, one);
}
