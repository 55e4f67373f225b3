/**
 * Merges what several items have found of a row: the greatest m, sums rescaled by exp(m_i - m), added. An item has some vectors of the
 * row, and its lanes share the splits, so that nobody waits for many loads one after the other.
 */

import { at, type Body, type BufferSpec, type Memory } from "../../kernel/build.ts";
import type { Type } from "../../kernel/elem.ts";
import {
  add,
  both,
  constant,
  convert,
  div,
  eq,
  fma,
  lt,
  max,
  min,
  mod,
  mul,
  name,
  op,
  splat,
  sub,
} from "../../kernel/expr.ts";
import type { Expr, Kernel } from "../../kernel/kernel.ts";
import { Lift } from "../lift/lift.ts";
import { dimExpr } from "../lift/spell-dim.ts";
import { Block, gridName } from "./block.ts";
import { type Item, lowest, vectorOf } from "./item.ts";
import { outIndex } from "./out-index.ts";
import { type AskedLanes, layoutOf, type Places, partialName, rowsOf, written } from "./partials.ts";
import type { RowBlock } from "./plan.ts";
import { knowMax, resultAt } from "./result.ts";

/** Splits that a lane adds up at most, one load after the other. */
const fewSplits = 8;

/** Vectors of a row that an item merges, and how many lanes share the splits of each. */
function mergedAtOnce({ plan }: AskedLanes, length: number): { readonly vectors: number; readonly parts: number } {
  const { itemLanes, splits, vector } = plan;
  let parts = 1;
  const isShared = (): boolean => (length / vector) % (itemLanes / parts) === 0 && splits <= fewSplits * parts;
  while (parts < itemLanes && itemLanes % (2 * parts) === 0 && !isShared()) parts *= 2;
  return { vectors: itemLanes / parts, parts };
}

/** An item has some vectors of a row, its lanes the splits. */
export function merging(asked: AskedLanes, more: Readonly<Record<string, BufferSpec>>): Kernel {
  const { pattern, plan } = asked;
  const { length } = layoutOf(asked);
  const grid: Record<string, Expr> = {
    wide: constant(Math.ceil(length / plan.vector / mergedAtOnce(asked, length).vectors)),
  };
  for (const a of [...pattern.rows].reverse()) grid[gridName(a)] = dimExpr(a.size);
  return written({ ...asked, says: `${asked.says}, merged` }, more, {
    lanes: plan.itemLanes,
    grid,
    fill: (b, places, memory) => merge(asked, b, { places, from: memory(partialName), to: memory("made") }),
  });
}
interface Merging {
  readonly places: Places;
  readonly from: Memory;
  readonly to: Memory;
}
function merge(asked: AskedLanes, b: Body, { places, from, to }: Merging): void {
  const { pattern, plan, options } = asked;
  const { length, max: behind, stride } = layoutOf(asked);
  const { vectors, parts } = mergedAtOnce(asked, length);
  const lift = new Lift(b, places);
  const alone: RowBlock = { axis: null, count: 1, lanes: "places", vector: plan.vector };
  const block = new Block(pattern, alone, lift);
  const item: Item<RowBlock> = { pattern, plan: alone, b, lift, memory: places, block };
  const row = b.let("row", outIndex(item, { r: 0, e: constant(0) }, constant(stride)));
  const apart = b.let("apart", mul(rowsOf(asked.pattern), stride));
  const [scalar, vec] = [vectorOf(1), vectorOf(plan.vector)];
  const here = (split: Expr, i: Expr | number): Expr => add(mul(split, apart), row, i);
  const best = b.reg("best", scalar, 1, constant(lowest, scalar));
  const splits = { from: b.lane, to: plan.splits, step: plan.itemLanes };
  b.loop("i", splits, (i) => b.store(best, 0, max(at(best, 0), at(from, here(i, behind)))));
  const m = b.reduce("max", at(best, 0), plan.itemLanes);
  /** Of each split its factor, and its narrow sums by that. */
  const factors = b.shared("factors", "f32", plan.splits);
  const scaled = pattern.narrow.map((_, i) => b.shared(`scaled${i}`, "f32", plan.splits));
  b.loop("i", splits, (i) => {
    const factor = b.let("factor", op("exp", sub(at(from, here(i, behind)), m)));
    b.store(factors, i, factor);
    for (const [j, to] of scaled.entries()) b.store(to, i, mul(at(from, here(i, behind + 1 + j)), factor));
  });
  b.barrier();
  const part = parts === 1 ? constant(0) : b.let("part", div(b.lane, vectors));
  const own = parts === 1 ? b.lane : b.let("vector", mod(b.lane, vectors));
  const wide = length / plan.vector;
  const vector = b.let("e_vector", min(add(mul(name("wide"), vectors), own), wide - 1));
  const e = b.let("e", mul(vector, plan.vector));
  const zero = (base: string, type: Type): Memory => b.reg(base, type, 1, constant(0, type));
  const found = pattern.spread.map((_, i) => zero(`acc${i}`, vec));
  const narrow = pattern.narrow.map((_, i) => zero(`z${i}`, scalar));
  const addUp = (split: Expr): void => {
    const factor = b.let("factor", splat(at(factors, split), plan.vector));
    for (const [j, acc] of found.entries())
      b.store(acc, 0, fma(at(from, here(split, add(e, j * length)), plan.vector), factor, at(acc, 0)));
    for (const [j, z] of narrow.entries()) b.store(z, 0, add(at(z, 0), at(scaled[j] ?? factors, split)));
  };
  // Written out, so that loads need not wait for each other.
  for (let i = 0; i < plan.splits; i += parts) {
    const split = add(part, i);
    if (i + parts <= plan.splits) addUp(split);
    else b.if(lt(split, plan.splits), () => addUp(split));
  }
  const env = new Map(block.row(0));
  knowMax(pattern, lift, env, () => m);
  const own0 = mul(add(mul(name("wide"), vectors), own), plan.vector);
  /** Inside of its guard, where the vector is the lane's own. */
  const store = (): void => {
    const here = new Map(env).set(pattern.wide.name, lift.bound(own0, { width: plan.vector }));
    for (const [i, s] of pattern.spread.entries()) lift.know(s.value, here, b.let("sum", at(found[i] ?? best, 0)));
    const value = resultAt(pattern, lift, here, plan.vector, options);
    b.store(to, outIndex(item, { r: 0, e: own0 }, dimExpr(pattern.wide.size)), convert(value, to.type.elem));
  };
  const isThere = wide % vectors === 0 ? null : lt(add(mul(name("wide"), vectors), own), wide);
  const shared = (of: Memory): Memory => b.shared("by_lane", "f32", plan.itemLanes * of.type.width);
  const [foundByLane, narrowByLane] = parts === 1 ? [[], []] : [found.map(shared), narrow.map(shared)];
  if (parts > 1) {
    for (const [i, to] of foundByLane.entries()) b.store(to, mul(b.lane, plan.vector), at(found[i] ?? best, 0));
    for (const [i, to] of narrowByLane.entries()) b.store(to, b.lane, at(narrow[i] ?? best, 0));
    b.barrier();
  }
  /** What the others have of the lane's vector. */
  const inAll = (sum: Memory, byLane: Memory, width: number): void =>
    b.loop("j", { from: 1, to: parts, step: 1 }, (j) => {
      const lane = mod(add(b.lane, mul(j, vectors)), plan.itemLanes);
      b.store(sum, 0, add(at(sum, 0), at(byLane, mul(lane, width), width)));
    });
  for (const [i, byLane] of narrowByLane.entries()) inAll(narrow[i] ?? best, byLane, 1);
  for (const [i, s] of pattern.narrow.entries()) lift.know(s.value, env, b.let("total", at(narrow[i] ?? best, 0)));
  const guards = [...(parts === 1 ? [] : [eq(part, 0)]), ...(isThere === null ? [] : [isThere])];
  const write = (): void => {
    for (const [i, byLane] of foundByLane.entries()) inAll(found[i] ?? best, byLane, plan.vector);
    store();
  };
  const [first, ...others] = guards;
  if (first === undefined) write();
  else b.if(others.reduce(both, first), write);
}
