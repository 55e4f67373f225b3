/** What the parts of a streamed kernel share. */
import type { Node, Scalar } from "../../graph/node.ts";
import { at, type Body, type Memory } from "../../kernel/build.ts";
import { type Type, typeOf } from "../../kernel/elem.ts";
import { splat } from "../../kernel/expr.ts";
import type { Expr } from "../../kernel/kernel.ts";
import type { Env, Lift } from "../lift/lift.ts";
import type { Block } from "./block.ts";
import type { Pattern } from "./pattern.ts";
import type { RowBlock, StreamedPlan } from "./plan.ts";

/** Below any score, and finite: no difference of infinities arises. Masked scores are further below, so that their exp is 0. */
export const lowest = -1e29;
export const masked = -1e30;

/** `Plan`: what is decided of it. */
export interface Item<Plan extends RowBlock = StreamedPlan> {
  readonly pattern: Pattern;
  readonly plan: Plan;
  readonly b: Body;
  readonly lift: Lift;
  readonly memory: ReadonlyMap<Node, Memory>;
  readonly block: Block;
}
/** A run of places of s, from `first`; `count` of them are there. */
export interface Run {
  readonly first: Expr;
  readonly count: Expr;
  /** Of s. */
  readonly end: Expr;
  /** 1 where all rows of the block see all of them, else 0: a number, since nothing is proved from it; null: always. */
  readonly shared: Expr | null;
}

/** The value, repeated to a vector; what stands in f32 memory is loaded so. */
export function repeated({ b, lift, memory }: Item, e: Scalar, env: Env, type: Type): Expr {
  const place = e.kind === "read" ? memory.get(e.value) : undefined;
  if (e.kind === "read" && place !== undefined && place.type.elem === "f32" && !lift.knows(e, env)) {
    const { piece, index, width } = lift.address(e, env);
    if (width === 1) return b.let("x", splat(at(place, index, 1, piece), type.width));
  }
  return splat(lift.float(e, env), type.width);
}
export const isOne = (e: Scalar): boolean => e.kind === "const" && e.value === 1;
export const vectorOf = (width: number): Type => typeOf("f32", width);
