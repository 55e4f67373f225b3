/** Selections and sorts on all descriptions and as WebAssembly: on hard rows, against the graph's orders, and with planted faults. */
import { describe, expect, test } from "vitest";
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { ascending, descending } from "../../compiler/graph/interpret/order.ts";
import { name, op } from "../../compiler/kernel/expr.ts";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { chooseSelection, selection } from "../../compiler/schedule/selection.ts";
import { keyWhere, leastKey, maskedKey, nanKey } from "../../compiler/schedule/sort-keys.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { random } from "./data.ts";
import { hardFloats as hard, keyKernel, keysOf, hardRows as rows } from "./hard-rows.ts";
import type { KernelCase } from "./kernel-case.ts";
import { runCase } from "./run-case.ts";
import { runWasm } from "./run-wasm.ts";
import {
  byPasses,
  byThreshold,
  ofExperts,
  ofRows,
  ofTokens,
  permutation,
  permutationCase,
  selectionCase,
} from "./selection-cases.ts";
import { firstWrong } from "./tolerance.ts";

describe("keys", () => {
  test.each([1, 4])("of f32 sort as the graph sorts, vectors of %i, as WebAssembly too", async (width) => {
    const k = keyKernel("f32", width);
    const x = hard.subarray(0, hard.length - (hard.length % width));
    const y = new Int32Array(x.length);
    const given = { sizes: { N: x.length / width }, inputs: { x } };
    expect(interpret(k, { sizes: given.sizes, buffers: { x, y } })).toBeNull();
    const candidates = Array.from(x, (key, index) => ({ key, index }));
    expect(descending(Array.from(y, (key, index) => ({ key, index })))).toEqual(descending(candidates));
    const low = lower(k, wasmTarget);
    expect((await runWasm(await wasmModule([low]), low, given, [null]))["y"]).toEqual(y);
  });
  test("of -0 and 0 are one; of nan of any bits the reserved one; of infinities no reserved one", () => {
    const nans = new Float32Array(Int32Array.of(0x7fc00000, -0x400000, 0x7f800001, -1, 0x7fffffff).buffer);
    expect([...keysOf(nans)]).toEqual(Array.from(nans, () => nanKey));
    const [zero, other, low, high] = keysOf(Float32Array.of(-0, 0, -1 / 0, 1 / 0));
    expect([zero, other, low, high]).toEqual([0, 0, -0x7f800000, 0x7f800000]);
  });
  test("of i32 are themselves, but for the two least", () => {
    const ends = Int32Array.of(-0x80000000, -0x7fffffff, -0x7ffffffe, -0x7ffffffd, -1, 0, 0x7fffffff);
    expect([...keysOf(ends)]).toEqual([leastKey, leastKey, leastKey, leastKey + 1, -1, 0, 0x7fffffff]);
  });
  test("where a condition does not hold are masked", () => {
    const e = keyWhere(op("lt", name("g"), 3), name("key"));
    expect(e).toMatchObject({ kind: "op", op: "select", args: [{}, { name: "key" }, { value: maskedKey }] });
  });
});

const counts = [0, 1, 2, 3, 4, 5, 7, 8, 31, 65, 130];
const amounts = [1, 5, 8, 70];

/** Each kind of row with some counts and amounts, in all ways of choosing. */
function hardCases(t: KernelTarget): readonly KernelCase[] {
  const next = random(77);
  const pick = <V>(from: readonly V[], otherwise: V): V =>
    from[Math.floor(((next() + 1) / 2) * from.length)] ?? otherwise;
  return Object.entries(rows).flatMap(([what, make], seed) =>
    Array.from({ length: 2 }, () => {
      const [N, k] = [pick(counts, 1), pick(amounts, 1)];
      const keys = make(3 * N, seed);
      const d = ofRows(k);
      return [
        selectionCase(` ${what}, passes`, d, byPasses(d, t), { T: 3, N }, keys),
        selectionCase(` ${what}, threshold`, d, byThreshold(d, t), { T: 3, N }, keys),
        selectionCase(` ${what}, buffers`, d, byThreshold(d, t, "buffers"), { T: 3, N }, keys),
        permutationCase(permutation(t), make(N, seed)),
      ];
    }).flat(),
  );
}

describe.each(exampleKernelTargets)("$name", (t) => {
  const orders = ["forward", "reverse", "shuffled"] as const;
  test("hard rows", () => {
    for (const [i, c] of hardCases(t).entries())
      expect(runCase(c, c.kernel, { order: orders[i % 3] ?? "forward" }), c.name).toBeNull();
  });
  test("ranges and writers are proved whatever the sizes are expressions of", () => {
    for (const d of [ofTokens(8), ofExperts(8, 7), ofExperts(8, 64), ofRows(8), ofRows(8, 64)])
      for (const k of [byPasses(d, t), byThreshold(d, t, "buffers"), byThreshold(d, t)])
        expect(verify(k, t), `${k.source}`).toEqual([]);
  });
  test.each([
    [1, 32],
    [8, 256],
    [64, 4096],
    [2048, 163_840],
  ])("%i of %i fit", (k, N) => {
    const d = ofRows(k);
    for (const rows of [1, 1000]) expect(verify(lower(selection(d, chooseSelection(d, N, t, rows)), t), t)).toEqual([]);
  });
});

test("one long row has more lanes than many have, and the same is chosen", () => {
  const t = exampleKernelTargets.find((x) => x.name === "gpu") ?? expect.fail("no gpu");
  const d = ofRows(300, 4);
  const [few, many] = [1, 1000].map((rows) => chooseSelection(d, 40_000, t, rows));
  expect([few?.lanes, many?.lanes]).toEqual([256, 64]);
  if (few === undefined) return;
  const [N, next] = [1200, random(9)];
  for (const most of [2, 2 ** 31 - 3]) {
    const keys = Int32Array.from({ length: N }, () => Math.round(next() * most));
    const c = selectionCase(" by 256 lanes", d, lower(selection(d, few), t), { T: 1, N }, keys);
    for (const order of ["forward", "shuffled"] as const) expect(runCase(c, c.kernel, { order })).toBeNull();
  }
});

test("hard rows as WebAssembly", async () => {
  const modules = new Map<string, { readonly k: Kernel; readonly bytes: Uint8Array }>();
  for (const c of hardCases(wasmTarget)) {
    const text = printKernel(c.kernel);
    const known = modules.get(text);
    const k = known?.k ?? lower(c.kernel, wasmTarget);
    const bytes = known?.bytes ?? (await wasmModule([k]));
    modules.set(text, { k, bytes });
    const { index = new Int32Array(0) } = await runWasm(bytes, k, c, [null]);
    const want = c.expected["index"];
    expect(want === undefined ? "nothing" : firstWrong(index, want), c.name).toBeNull();
  }
});

test("scores of floats are sorted as the graph sorts them", () => {
  const x = hard;
  const [N, T, k] = [x.length, 1, x.length];
  const [keys, index] = [keysOf(x), new Int32Array(N)];
  const candidates = Array.from(x, (key, i) => ({ key, index: i }));
  const [t] = exampleKernelTargets;
  if (t === undefined) throw new Error("no target");
  expect(interpret(byThreshold(ofRows(k), t), { sizes: { T, N }, buffers: { keys, index } })).toBeNull();
  expect([...index]).toEqual(descending(candidates));
  const space = (): Int32Array => new Int32Array(N);
  const spaces = { words_a: space(), of_a: space(), words_b: space(), of_b: space() };
  expect(interpret(permutation(t), { sizes: { N }, buffers: { keys, index, ...spaces } })).toBeNull();
  expect([...index]).toEqual(ascending(candidates));
});

describe("which way", () => {
  const target = (n: string): KernelTarget =>
    exampleKernelTargets.find((t) => t.name === n) ?? expect.fail(`there is no ${n}`);
  test.each([
    ["simd", 8, 256, "passes"],
    ["simd", 6, 64, "passes"],
    ["simd", 64, 256, "threshold shared"],
    ["simd", 2048, 163_840, "threshold shared"],
    ["gpu", 8, 256, "passes"],
    ["gpu", 2048, 163_840, "threshold buffers"],
    ["gpu_unit", 2048, 163_840, "threshold shared"],
  ])("%s: %i of %i", (n, k, count, want) => {
    const s = chooseSelection(ofRows(k), count, target(n));
    expect(s.way === "passes" ? s.way : `${s.way} ${s.room}`).toBe(want);
  });
});

describe("planted faults are seen", () => {
  const t = (n: string): KernelTarget => exampleKernelTargets.find((x) => x.name === n) ?? expect.fail(n);
  type Make = (t: KernelTarget) => Kernel;
  const ways: Readonly<Record<string, Make>> = {
    passes: (x) => byPasses(ofRows(5), x),
    threshold: (x) => byThreshold(ofRows(5), x),
    argsort: (x) => permutation(x),
  };
  /** What verifier or runs say: of few different keys, and of all. */
  function faults(k: Kernel, x: KernelTarget): readonly string[] {
    const proofs = verify(k, x).map((p) => `rule ${p.rule}`);
    const runs = ["of few", "of all", "of ends", "rising", "all masked", "every other masked"].flatMap((what, seed) =>
      [1, 3, 5, 67].flatMap((N) => {
        const keys = rows[what]?.(3 * N, seed) ?? new Int32Array(3 * N);
        const c =
          k.name === "argsort"
            ? permutationCase(k, keys.subarray(0, N))
            : selectionCase(what, ofRows(5), k, { T: 3, N }, keys);
        return runCase(c) ?? [];
      }),
    );
    return [...new Set([...proofs, ...runs.map((f) => f.slice(0, 5))])].sort();
  }
  test.each([
    // target, way, what stands there, what is planted, who sees it
    ["simd", "passes", "last_place[0] < i)", "last_place[0] <= i)", "index"],
    ["simd", "passes", "< place) & best1[0]:4 < key", "< place) & best1[0]:4 <= key", "index"],
    ["simd", "passes", "if bool(1)", "if row < 2", "index"],
    ["simd", "passes", "i32(-2147483648), 0,", "i32(-2147483648), 1,", "index"],
    ["simd", "passes", "(row_from + 3) / 4", "(row_from + 2) / 4", "index"],
    ["simd", "passes", "max(first, last) * 4", "(last + 1) * 4", "index"],
    ["simd", "threshold", "max(first, last) * 4", "first * 4", "index"],
    ["simd", "passes", "max(first, last) * 4", "last * 4", "index"],
    ["simd", "passes", "block * 4", "block * 2", "rule 4"],
    ["simd", "passes", "min(row_to / 4,", "max(row_to / 4,", "rule 9"],
    ["gpu", "passes", "lane == 0", "lane <= 1", "race:"],
    ["simd", "threshold", "31 - bit", "30 - bit", "divis"],
    ["simd", "threshold", "5 <= all_sum", "5 < all_sum", "index"],
    [
      "simd",
      "threshold",
      "select(threshold == i32(-2147483648), 0,",
      "select(threshold == i32(-2147483648), 1,",
      "index",
    ],
    ["simd", "threshold", "5 - above[0]", "5", "index"],
    ["simd", "threshold", "2147483647 - key", "key", "index"],
    ["simd", "threshold", "max(0, min(next[0], 4))", "next[0]", "rule 9"],
    ["simd", "threshold", "i4 + 4, row_to", "i4 + 3, row_to", "index"],
    ["simd", "threshold", "loop j in chosen", "loop j in chosen + 1", "index"],
    ["gpu", "threshold", "barrier", "", "unwri"],
    ["gpu", "threshold", "left[0] = equals - taken", "left[0] = equals", "race:"],
    ["simd", "argsort", "keys[e] - i32(-2147483646)", "keys[e] - i32(-2147483648)", "index"],
    ["simd", "argsort", ">> 8 & 255", ">> 8 & 127", "index"],
    ["simd", "argsort", "counts[own1] = next + 1", "counts[own1] = next", "index"],
    ["simd", "argsort", "min(next, N - 1)", "min(next, N)", "rule 9"],
    ["gpu", "argsort", "barrier", "", "unwri"],
    ["gpu", "argsort", "sum[0] = 0", "sum[0] = 1", "race:"],
  ])("%s, %s: %s -> %s", (n, way, from, to, seen) => {
    const x = t(n);
    const right = ways[way]?.(x) ?? expect.fail(way);
    expect(faults(right, x)).toEqual([]);
    const text = printKernel(right);
    expect(text).toContain(from);
    const parsed = parseKernel(text.replace(from, to));
    if (!parsed.ok) throw new Error(`${parsed.line}:${parsed.column} ${parsed.message}`);
    expect(faults(parsed.kernel, x)).toContain(seen);
  });
});
