/** index[row, j]: where in keys[row, :] the j-th best key stands; equal keys by their index. Keys are those of sort-keys.ts. */
import type { Kernel } from "../kernel/kernel.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { type PassesSchedule, selectByPasses } from "./sort-passes.ts";
import { binsOf, radixBytes, turnsOf } from "./sort-radix.ts";
import { isRanked } from "./sort-rank.ts";
import { multipleOf, type Selection } from "./sort-row.ts";
import { selectByThreshold, type ThresholdSchedule } from "./sort-threshold.ts";
import { widthFor } from "./vectors.ts";

export type { Selection } from "./sort-row.ts";
export type SelectionSchedule =
  | ({ readonly way: "passes" } & PassesSchedule)
  | ({ readonly way: "threshold" } & ThresholdSchedule);

/** keys: i32[rows * count] -> index: i32[rows * k]; places beyond the keys that may be chosen get 0. */
export const selection = (d: Selection, s: SelectionSchedule): Kernel =>
  s.way === "passes" ? selectByPasses(d, s) : selectByThreshold(d, s);

/** Lanes side by side read adjacent keys anyway: there a vector pays only where the row needs no scalar ends. */
export const vectorFor = (d: Selection, t: KernelTarget): number =>
  t.lanes === 1 ? t.vector : widthFor(multipleOf(d), t.vector);

/** Of a long row that is one of few: it is one item, and nobody else keeps the machine busy. */
function lanesFor(rows: number, vectors: number, { lanes, mostLanes }: KernelTarget): number {
  let most = lanes;
  while (rows <= fewRows && 2 * most <= mostLanes && vectors > manyTurns * most) most *= 2;
  return most;
}
/** Vectors of a lane from which on more lanes save more than it costs them to meet. */
const manyTurns = 32;

/** For rows of some `count` keys, of which there are `rows`. */
export function chooseSelection(
  d: Selection,
  count: number,
  target: KernelTarget,
  rows = Number.POSITIVE_INFINITY,
): SelectionSchedule {
  const vector = vectorFor(d, target);
  const lanes = lanesFor(rows, count / vector, target);
  const t = { ...target, lanes };
  const shape = { k: d.k, turns: Math.ceil(count / (lanes * vector)), lanes };
  if (d.k === 0 || passesCost(shape) <= thresholdCost(shape)) return { way: "passes", lanes, vector };
  const ranked = isRanked(d.k, lanes);
  return { way: "threshold", lanes, vector, room: roomFor(ranked ? 1 : 2, d.k, 20, t, ranked ? 0 : radixBytes(lanes)) };
}
/** For what is selected from the keys of blocks. */
export function chooseKeeping(d: Selection, target: KernelTarget, rows = Number.POSITIVE_INFINITY): ThresholdSchedule {
  const vector = vectorFor(d, target);
  const lanes = lanesFor(rows, keysAtOnce(d.k, rows, target) / vector, target);
  return { lanes, vector, room: roomFor(1, d.k, 28, { ...target, lanes }) };
}
/** `rooms` for k words and what they are of; `byLane`: bytes of counts by lane, and of reductions side by side. */
function roomFor(
  rooms: number,
  k: number,
  byLane: number,
  { lanes, sharedBytes }: KernelTarget,
  sorting = radixBytes(lanes),
): "shared" | "buffers" {
  return 8 * rooms * k + sorting + byLane * lanes <= sharedBytes ? "shared" : "buffers";
}

const fewRows = 4;
/**
 * Keys of a row that are held at one time. Each block reads what is kept once more: the longer the less that costs, of
 * 131072 keys and 2048 kept 2 % more at 65536. Many rows take an eighth, since each has keys of its own.
 */
export const keysAtOnce = (k: number, rows: number, t: KernelTarget): number =>
  Math.max(k, Math.ceil(rows <= fewRows ? t.keysAtOnce : t.keysAtOnce / 8));

interface Shape {
  readonly k: number;
  /** Vectors of a row that a lane reads. */
  readonly turns: number;
  readonly lanes: number;
}
/**
 * Both in units of about 0.25 ns, fitted to WebAssembly in Node 20: 0.05 to 3.8 ms for 8 to 2048 of 128 to 163840 keys. What a
 * reduction over lanes costs is a guess.
 */
const reduction = (lanes: number): number => (lanes === 1 ? 0 : 100);
const passesCost = (s: Shape): number => s.k * (6 * s.turns + 2 * reduction(s.lanes));
function thresholdCost(s: Shape): number {
  const reduced = reduction(s.lanes);
  // Half as many visits, which count thrice; to collect and to rank is some reductions more.
  if (isRanked(s.k, s.lanes)) return 12.5 * (3 * s.turns + reduced) + 4 * reduced + (2 * s.k * s.k) / s.lanes;
  const turns = turnsOf(32, s.lanes);
  const tables = turns * (3 * binsOf(s.lanes) + s.lanes - 1);
  return 25 * (2 * s.turns + reduced) + tables + (14 * turns * s.k) / s.lanes;
}
