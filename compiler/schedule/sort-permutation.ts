/** index[i]: the permutation that sorts keys ascending, equal keys by their index, nan last. */
import { at, type BufferSpec, kernel, type SizeSpec } from "../kernel/build.ts";
import { lt, sub } from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { leastKey } from "./sort-keys.ts";
import { radixSort, turnsOf } from "./sort-radix.ts";

export interface Permutation {
  readonly name: string;
  readonly sizes: Readonly<Record<string, SizeSpec>>;
  /** Keys: an expression over the sizes. */
  readonly count: Expr;
  /** Where it is known that all keys are in 0..below-1: fewer turns. 1..2^31-1. */
  readonly below?: number;
}
export interface PermutationSchedule {
  readonly lanes: number;
}
export const choosePermutation = (t: KernelTarget): PermutationSchedule => ({ lanes: t.lanes });

/**
 * keys: i32[count] -> index: i32[count]. As many of words_a, of_a, words_b, of_b: i32[count] as turns need are work space. It
 * is one work item: on a GPU one workgroup sorts all. A masked key comes after the numbers and before nan.
 */
export function sortPermutation(d: Permutation, s: PermutationSchedule): Kernel {
  const bits = d.below === undefined ? 32 : 32 - Math.clz32(d.below - 1);
  const turns = turnsOf(bits, s.lanes);
  const spaces = ["a", "b"].slice(0, turns - 1);
  const buffers: Record<string, BufferSpec> = {
    keys: { elem: "i32", extent: d.count },
    index: { elem: "i32", extent: d.count, access: "write" },
  };
  for (const x of spaces)
    for (const n of [`words_${x}`, `of_${x}`]) buffers[n] = { elem: "i32", extent: d.count, access: "both" };
  const source = `radix sort: ${turns} turns of ${s.lanes} lanes`;
  return kernel({ name: d.name, source, lanes: s.lanes, sizes: d.sizes, buffers, grid: { row: 1 } }, (b, memory) => {
    const [keys, index] = [memory("keys"), memory("index")];
    // The least number becomes the word 0; the reserved keys wrap around and become the greatest.
    const least = d.below === undefined ? leastKey : 0;
    b.if(lt(0, d.count), () =>
      radixSort(b, {
        count: d.count,
        capacity: d.count,
        bits,
        read: (i) => ({ word: sub(at(keys, i), least), of: i }),
        write: (i, e) => b.store(index, i, e.of),
        rooms: spaces.map((x) => ({ word: memory(`words_${x}`), of: memory(`of_${x}`), base: 0 })),
      }),
    );
  });
}
