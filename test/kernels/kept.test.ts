/** Selections from blocks of keys: the same as from all keys at once, on all descriptions and as WebAssembly. */
import { describe, expect, test } from "vitest";
import { WasmInstance } from "../../backends/wasm/instance.ts";
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { name } from "../../compiler/kernel/expr.ts";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { chooseKeeping, keysAtOnce } from "../../compiler/schedule/selection.ts";
import { type Keeping, keepBest, keepSpaces, sortKept } from "../../compiler/schedule/sort-keep.ts";
import type { ThresholdSchedule } from "../../compiler/schedule/sort-threshold.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { hardRows } from "./hard-rows.ts";
import { bestOf } from "./selection-cases.ts";

/** k of T rows of blocks of N keys; blocks begin at multiples of `block`. */
const ofBlocks = (k: number, block: number): Keeping => ({
  name: "keep",
  sizes: { T: {}, N: {}, first: { multiple: block } },
  rows: name("T"),
  count: name("N"),
  from: name("first"),
  k,
});
const scheduleFor = (d: Keeping, t: KernelTarget, room: "shared" | "buffers"): ThresholdSchedule => ({
  ...chooseKeeping(d, t),
  room,
});
interface Pair {
  readonly keep: Kernel;
  readonly sort: Kernel;
}
const kernelsFor = (d: Keeping, s: ThresholdSchedule): Pair => ({
  keep: keepBest(d, s),
  sort: sortKept({ ...d, name: "sort", sizes: { T: {} } }, s),
});

interface Rows {
  readonly keys: Int32Array;
  readonly rows: number;
  readonly count: number;
  readonly k: number;
  readonly block: number;
}
type Run = (
  kernel: Kernel,
  sizes: Readonly<Record<string, number>>,
  buffers: Readonly<Record<string, Int32Array>>,
) => void;

/** The keys of all rows, a block after the other. What is kept starts as what anything may have left. */
function select({ keep, sort }: Pair, { keys, rows, count, k, block }: Rows, spaces: readonly string[], run: Run) {
  const places = (): Int32Array => new Int32Array(rows * k).fill(0x7fc1);
  const space = Object.fromEntries(["kept_key", "kept_of", ...spaces].map((n) => [n, places()]));
  const index = places();
  for (let first = 0; first < count; first += block) {
    const N = Math.min(block, count - first);
    const part = Int32Array.from(
      { length: rows * N },
      (_, i) => keys[Math.floor(i / N) * count + first + (i % N)] ?? 0,
    );
    run(keep, { T: rows, N, first }, { ...space, keys: part });
  }
  run(sort, { T: rows }, { ...space, index });
  return [...index];
}
const interpreted: Run = (kernel, sizes, buffers) => {
  const own = Object.fromEntries(kernel.buffers.map((b) => [b.name, buffers[b.name] ?? new Int32Array(0)]));
  const fault = interpret(kernel, { sizes, buffers: own });
  if (fault !== null) throw new Error(`${fault.kind}: ${fault.message}`);
};

const shapes = [
  { count: 1, k: 5, block: 16 },
  { count: 40, k: 5, block: 16 },
  { count: 33, k: 16, block: 16 },
  { count: 36, k: 33, block: 16 },
  { count: 65, k: 8, block: 32 },
  { count: 5, k: 3, block: 1 },
];

describe.each(exampleKernelTargets)("$name", (t) => {
  test.each(["shared", "buffers"] as const)("hard rows, through %s", (room) => {
    for (const [i, [what, make]] of Object.entries(hardRows).entries()) {
      const shape = shapes[i % shapes.length] ?? { count: 1, k: 1, block: 1 };
      const given = { ...shape, rows: 2, keys: make(2 * shape.count, i) };
      const d = ofBlocks(shape.k, shape.block);
      const s = scheduleFor(d, t, room);
      const chosen = select(kernelsFor(d, s), given, keepSpaces(s), interpreted);
      expect(chosen, `${what}: ${shape.k} of ${shape.count} by ${shape.block}`).toEqual(bestOf(given.keys, given));
    }
  });
  test("more lanes keep the same", () => {
    const d = ofBlocks(70, 128);
    const lanes = chooseKeeping(ofBlocks(2048, keysAtOnce(2048, 1, t)), t, 1).lanes;
    expect(lanes).toBe(t.mostLanes);
    const given = {
      rows: 1,
      count: 300,
      k: 70,
      block: 128,
      keys: Int32Array.from({ length: 300 }, (_, i) => (i * 37) % 61),
    };
    const s = { ...scheduleFor(d, t, "buffers"), lanes };
    expect(select(kernelsFor(d, s), given, keepSpaces(s), interpreted)).toEqual(bestOf(given.keys, given));
  });
  test("ranges and writers are proved, and 2048 of any row fit", () => {
    for (const [k, block] of [
      [3, 16],
      [8, 64],
      [2048, keysAtOnce(2048, 1, t)],
    ] as const) {
      const d = ofBlocks(k, block);
      for (const rows of [1, 1000])
        for (const kernel of Object.values(kernelsFor(d, chooseKeeping(d, t, rows)))) {
          expect(verify(kernel, t)).toEqual([]);
          expect(verify(lower(kernel, t), t)).toEqual([]);
        }
    }
  });
});

test("hard rows as WebAssembly", async () => {
  for (const [i, [what, make]] of Object.entries(hardRows).entries()) {
    const shape = shapes[(i + 1) % shapes.length] ?? { count: 1, k: 1, block: 1 };
    const given = { ...shape, rows: 2, keys: make(2 * shape.count, i) };
    const d = ofBlocks(shape.k, shape.block);
    const made = kernelsFor(d, chooseKeeping(d, wasmTarget));
    const pair = { keep: lower(made.keep, wasmTarget), sort: lower(made.sort, wasmTarget) };
    const instance = await WasmInstance.open(await wasmModule([pair.keep, pair.sort]), 64);
    const run: Run = (kernel, sizes, buffers) => {
      const own = kernel.buffers.map((b) => [b.name, buffers[b.name] ?? new Int32Array(0)] as const);
      const at = Object.fromEntries(own.map(([n, data]) => [n, instance.place(data)]));
      instance.bind(kernel, at, sizes)();
      for (const [n, data] of own) instance.read(at[n] ?? 0, data);
    };
    expect(select(pair, given, [], run), what).toEqual(bestOf(given.keys, given));
  }
});

describe("planted faults are seen", () => {
  const [simd] = exampleKernelTargets;
  if (simd === undefined) throw new Error("no target");
  const d = ofBlocks(5, 16);
  const s = scheduleFor(d, simd, "shared");
  const right = kernelsFor(d, s);
  const isRight = (pair: Pair): boolean =>
    Object.entries(hardRows).every(([, make], seed) =>
      [1, 17, 40].every((count) => {
        const given = { rows: 3, count, k: 5, block: 16, keys: make(3 * count, seed) };
        try {
          return JSON.stringify(select(pair, given, [], interpreted)) === JSON.stringify(bestOf(given.keys, given));
        } catch {
          return false;
        }
      }),
    );
  test("none is there", () => expect(isRight(right)).toBe(true));
  test.each([
    ["keep", "min(first, 5)", "min(first, 4)"],
    ["keep", "held + N <= 5", "held + N <= 6"],
    ["keep", "= first + (", "= ("],
    ["keep", "= kept_of[first_place + i4]", "= i4"],
    ["keep", "left[0] = equals", "left[0] = 5"],
    ["keep", "kept_key[first_place + j1] = i32(-2147483648)", "kept_key[first_place + j1] = 0"],
    ["sort", "i32(-2147483648) <", "0 <"],
    ["sort", "index[first_place + j] = 0", "index[first_place + j] = 1"],
  ] as const)("%s: %s -> %s", (which, from, to) => {
    const text = printKernel(right[which]);
    expect(text).toContain(from);
    const parsed = parseKernel(text.replaceAll(from, to));
    if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
    expect(isRight({ ...right, [which]: parsed.kernel })).toBe(false);
  });
});
