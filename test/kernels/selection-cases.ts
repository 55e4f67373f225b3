import { add, constant, mul, name } from "../../compiler/kernel/expr.ts";
import { evaluateExtent } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { type Selection, vectorFor } from "../../compiler/schedule/selection.ts";
import { maskedKey, nanKey } from "../../compiler/schedule/sort-keys.ts";
import { selectByPasses } from "../../compiler/schedule/sort-passes.ts";
import { choosePermutation, sortPermutation } from "../../compiler/schedule/sort-permutation.ts";
import { selectByThreshold } from "../../compiler/schedule/sort-threshold.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { random } from "./data.ts";
import type { KernelCase } from "./kernel-case.ts";
import { exactly } from "./tolerance.ts";

/** Whole numbers in -most..most, the same from run to run. */
export function keysUpTo(most: number, count: number, seed: number): Int32Array {
  const next = random(seed);
  return Int32Array.from({ length: count }, () => Math.round(next() * most));
}

/** What a selection is to give: index[rows, k]. */
export function bestOf(keys: Int32Array, shape: { rows: number; count: number; k: number }): readonly number[] {
  const { rows, count, k } = shape;
  return Array.from({ length: rows }, (_, row) => {
    const key = (i: number): number => keys[row * count + i] ?? maskedKey;
    const there = Array.from({ length: count }, (_, i) => i).filter((i) => key(i) !== maskedKey);
    there.sort((i, j) => key(j) - key(i) || i - j);
    return Array.from({ length: k }, (_, j) => there[j] ?? 0);
  }).flat();
}
function sortedBy(keys: Int32Array): readonly number[] {
  const rank = (i: number): number => {
    const key = keys[i] ?? 0;
    return key === nanKey ? 2 ** 32 : key === maskedKey ? 2 ** 31 : key;
  };
  return Array.from(keys, (_, i) => i).sort((i, j) => rank(i) - rank(j) || i - j);
}

/** What is left in work space is nobody's business. */
const expectedOf = (k: Kernel, index: readonly number[]): KernelCase["expected"] => ({
  ...Object.fromEntries(k.buffers.filter((b) => b.access === "both").map((b) => [b.name, exactly([])])),
  index: exactly(index),
});

type Sizes = Readonly<Record<string, number>>;
export function selectionCase(what: string, d: Selection, kernel: Kernel, sizes: Sizes, keys: Int32Array): KernelCase {
  const shape = { rows: evaluateExtent(d.rows, sizes), count: evaluateExtent(d.count, sizes), k: d.k };
  return {
    name: `${d.k} of ${shape.rows} x ${shape.count}${what}`,
    kernel,
    sizes,
    inputs: { keys },
    expected: expectedOf(kernel, bestOf(keys, shape)),
  };
}
export function permutationCase(kernel: Kernel, keys: Int32Array): KernelCase {
  return {
    name: `argsort of ${keys.length}: ${kernel.source}`,
    kernel,
    sizes: { N: keys.length },
    inputs: { keys },
    expected: expectedOf(kernel, sortedBy(keys)),
  };
}

/** T rows of N keys. */
export const ofRows = (k: number, multiple = 1): Selection => ({
  name: "top_k",
  sizes: { T: {}, N: { multiple } },
  rows: name("T"),
  count: name("N"),
  k,
});
/** As an indexer of 8 heads asks: a row a token and head, over all tokens. */
export const ofTokens = (k: number): Selection => ({
  name: "top_k",
  sizes: { S0: {}, T: {} },
  rows: mul(name("T"), 8),
  count: add(name("S0"), name("T")),
  k,
});
export const ofExperts = (k: number, experts: number): Selection => ({
  name: "top_k",
  sizes: { T: {} },
  rows: name("T"),
  count: constant(experts),
  k,
});

export const byPasses = (d: Selection, t: KernelTarget): Kernel =>
  selectByPasses(d, { lanes: t.lanes, vector: vectorFor(d, t) });
export const byThreshold = (d: Selection, t: KernelTarget, room: "shared" | "buffers" = "shared"): Kernel =>
  selectByThreshold(d, { lanes: t.lanes, vector: vectorFor(d, t), room });
export const permutation = (t: KernelTarget, below?: number): Kernel => {
  const d = { name: "argsort", sizes: { N: {} }, count: name("N"), ...(below === undefined ? {} : { below }) };
  return sortPermutation(d, choosePermutation(t));
};

export function selectionCases(t: KernelTarget): readonly KernelCase[] {
  const passes = (d: Selection, sizes: Sizes, keys: Int32Array): KernelCase =>
    selectionCase(" by passes", d, byPasses(d, t), sizes, keys);
  const threshold = (d: Selection, sizes: Sizes, keys: Int32Array, room: "shared" | "buffers"): KernelCase =>
    selectionCase(` by threshold, ${room}`, d, byThreshold(d, t, room), sizes, keys);
  const ties = keysUpTo(40, 3 * 260, 13);
  return [
    passes(ofRows(6, 4), { T: 3, N: 260 }, ties),
    passes(ofTokens(5), { S0: 5, T: 2 }, keysUpTo(9, 16 * 7, 14)),
    passes(ofExperts(3, 7), { T: 5 }, keysUpTo(5, 35, 15)),
    passes(ofRows(8), { T: 2, N: 3 }, Int32Array.of(maskedKey, 4, nanKey, 0, maskedKey, 0)),
    passes(ofRows(2), { T: 3, N: 0 }, new Int32Array(0)),
    passes(ofRows(2), { T: 0, N: 3 }, new Int32Array(0)),
    threshold(ofRows(70), { T: 3, N: 260 }, ties, "shared"),
    threshold(ofRows(33), { T: 2, N: 301 }, keysUpTo(2 ** 31 - 1, 602, 16), "buffers"),
    threshold(ofTokens(5), { S0: 5, T: 2 }, keysUpTo(9, 16 * 7, 17), "buffers"),
    threshold(ofExperts(3, 8), { T: 5 }, keysUpTo(5, 40, 18), "shared"),
    threshold(ofRows(8), { T: 2, N: 3 }, Int32Array.of(maskedKey, 4, nanKey, 0, maskedKey, 0), "shared"),
    threshold(ofRows(2), { T: 3, N: 0 }, new Int32Array(0), "shared"),
    permutationCase(permutation(t), keysUpTo(60, 301, 19)),
    permutationCase(permutation(t), Int32Array.of(3, nanKey, maskedKey, 2147483647, nanKey + 1, nanKey, -1, 0)),
    permutationCase(permutation(t), new Int32Array(0)),
    permutationCase(permutation(t, 10), keysUpTo(9, 100, 20).map(Math.abs)),
    permutationCase(permutation(t, 300), keysUpTo(299, 200, 21).map(Math.abs)),
  ];
}
