/** The numbers of a tile: how each output axis is walked, and along which one vectors lie. */
import type { Scalar } from "../graph/node.ts";
import { key } from "../graph/scalar.ts";
import type { Expr } from "../kernel/kernel.ts";
import type { ReductionPlan } from "./lift/reductions.ts";

/** How an output axis is walked. */
export type Walk =
  /** An item computes `count` places side by side, items one after the other. */
  | { readonly kind: "tile"; readonly count: number }
  /** An item computes `count` places, each `apart` from the next: as many streams, each of which items walk in order. */
  | { readonly kind: "spread"; readonly count: number; readonly apart: number }
  /**
   * Groups of `every` lanes side by side, `among` of them, are dealt places in turns: an item computes `count` for each, group g the
   * places g, g + among, … of its own. So lanes touch what is adjacent.
   */
  | { readonly kind: "dealt"; readonly count: number; readonly among: number; readonly every: number }
  /** All places of it side by side. */
  | { readonly kind: "whole" }
  /** An item walks all of it, `count` places at a time. */
  | { readonly kind: "loop"; readonly count: number };

export interface TilePlan extends ReductionPlan {
  readonly lanes: number;
  /** How many lanes side by side share the turns of loops, its own and those of its sums; a power of two that divides the lanes. */
  readonly share: number;
  /** By name of the axis. */
  readonly walks: ReadonlyMap<string, Walk>;
  /** The output axis along which vectors lie, of which a place is then one; null: none. */
  readonly along: { readonly axis: string; readonly width: number } | null;
  /** Output axes whose items follow each other, the fastest first. */
  readonly order: readonly string[];
  /** Of places side by side along an axis, those whose lookup agrees share what is read through it; null: no such lookup. */
  readonly grouped: Grouped | null;
  /** How the factors of sums go through shared memory; null: lanes read them in place. */
  readonly staged: StagePlan | null;
  /** Says what it is, for people. */
  readonly says: string;
}

export interface StagePlan {
  /** The axes of the rectangle that an item computes, both dealt to lanes. */
  readonly rows: string;
  readonly tokens: string;
  /** Terms of a sum that are staged at once; a power of two. */
  readonly depth: number;
}

/** All that a kernel of a nest depends on besides the nest: equal texts, equal plans. */
export function planText(plan: TilePlan): string {
  const { walks, grouped } = plan;
  const lookup = grouped === null ? null : [grouped.axis, key(grouped.lookup)];
  return JSON.stringify({ ...plan, says: null, walks: [...walks], grouped: lookup });
}

/** A lookup that does not descend along the axis: where its first and last place agree, all between do. */
export interface Grouped {
  readonly axis: string;
  readonly lookup: Scalar;
}

export interface TileOptions {
  readonly name: string;
  /** What is stored for a value; `mask`: whether the point counts, where the nest has a guard. */
  readonly finish?: (value: Expr, mask: Expr | null) => Expr;
}
