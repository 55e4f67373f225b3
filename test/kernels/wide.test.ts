/** Whole numbers of 64 bits in kernels: every operation and conversion, interpreted and as WebAssembly, against arithmetic modulo 2^64. */
import { describe, expect, test } from "vitest";
import { WasmInstance } from "../../backends/wasm/instance.ts";
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { type Elem, i64, typeOf } from "../../compiler/kernel/elem.ts";
import { bitcast, constant, convert, load, max, min, name, op } from "../../compiler/kernel/expr.ts";
import { type AnyData, interpret, newData } from "../../compiler/kernel/interpret.ts";
import type { Expr, Kernel } from "../../compiler/kernel/kernel.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { exampleKernelTargets } from "../../compiler/target/example-kernel-targets.ts";
import {
  besideHalves,
  binary,
  chosenBy,
  converting,
  edges,
  least,
  mapped,
  most,
  operationOf,
  pairs,
  reals,
  summed,
  sums,
  wrap,
} from "./wide-cases.ts";

const empty = (elem: Elem, n: number): AnyData => (elem === "i64" ? new BigInt64Array(n) : newData(elem, n));

/** What both machines make of it, which is the same. */
async function results(k: Kernel, to: Elem, inputs: readonly AnyData[]): Promise<AnyData> {
  expect(verify(k, wasmTarget), k.name).toEqual([]);
  const given = Object.fromEntries(inputs.map((x, i) => [`x${i}`, x]));
  const [interpreted, ran] = [empty(to, inputs[0]?.length ?? 0), empty(to, inputs[0]?.length ?? 0)];
  expect(interpret(k, { sizes: {}, buffers: { ...given, y: interpreted } }), k.name).toBeNull();
  const instance = await WasmInstance.open(await wasmModule([k]), 16);
  const places = Object.entries({ ...given, y: ran }).map(([n, data]) => [n, instance.place(data)] as const);
  instance.bind(k, Object.fromEntries(places), {})();
  instance.read(Object.fromEntries(places)["y"] ?? 0, ran);
  expect(ran, k.name).toEqual(interpreted);
  return ran;
}

describe("operations", () => {
  test.each(Object.entries(binary))("%s", async (o, [given, truth]) => {
    const [xs, ys] = [BigInt64Array.from(given, (p) => p[0]), BigInt64Array.from(given, (p) => p[1])];
    const got = await results(operationOf(o, given.length), "i64", [xs, ys]);
    expect([...got]).toEqual(given.map(([x, y]) => truth(x, y)));
  });

  test.each([
    ["eq", (x: bigint, y: bigint) => x === y],
    ["lt", (x: bigint, y: bigint) => x < y],
    ["le", (x: bigint, y: bigint) => x <= y],
  ] as const)("%s, and a choice by it", async (o, truth) => {
    const [xs, ys] = [BigInt64Array.from(pairs, (p) => p[0]), BigInt64Array.from(pairs, (p) => p[1])];
    const test = mapped(`wide_${o}`, ["i64", "i64"], "bool", pairs.length, ([x = constant(0, i64), y = x]) =>
      op(o, x, y),
    );
    expect([...(await results(test, "bool", [xs, ys]))]).toEqual(pairs.map(([x, y]) => Number(truth(x, y))));
    const want = pairs.map(([x, y]) => (truth(x, y) ? x : wrap(y - 1n)));
    expect([...(await results(chosenBy(o), "i64", [xs, ys]))]).toEqual(want);
  });
});

describe("conversions", () => {
  const narrow = { i8: 8, i16: 16, i32: 32 } as const;
  test.each(Object.entries(narrow))("to %s: the low bits, and back the same number", async (elem, bits) => {
    const to = elem as keyof typeof narrow;
    const low = edges.map((x) => BigInt.asIntN(bits, x));
    const k = mapped("wide_narrow", ["i64"], to, edges.length, ([x = constant(0, i64)]) => convert(x, to));
    const got = await results(k, to, [BigInt64Array.from(edges)]);
    expect([...got]).toEqual(low.map(Number));
    const back = mapped("wide_back", [to], "i64", edges.length, ([x = constant(0)]) => convert(x, "i64"));
    expect([...(await results(back, "i64", [got]))]).toEqual(low);
  });
  test("from u32 without a sign", async () => {
    const k = mapped("wide_u32", ["u32"], "i64", 2, ([x = constant(0)]) => convert(x, "i64"));
    expect([...(await results(k, "i64", [Uint32Array.of(7, 0xffffffff)]))]).toEqual([7n, 0xffffffffn]);
  });
  test("to f32 rounded once, to even", async () => {
    const k = converting("i64", "f32", besideHalves.length);
    const got = await results(k, "f32", [BigInt64Array.from(besideHalves)]);
    const [even, up] = [2 ** 62, 2 ** 62 + 2 ** 39];
    expect([...got].slice(edges.length)).toEqual([even, up, even, -up, 2 ** 24]);
    expect([...got].slice(-6, -5)).toEqual([2 ** 63]);
  });
  test("from f32 towards 0, saturating, a nan as 0", async () => {
    const k = converting("f32", "i64", reals.length);
    const want = [1n, -1n, 0n, 2n ** 31n, 2n ** 40n + 2n ** 20n, 2n ** 62n, most, least, least, 0n, least];
    expect([...(await results(k, "i64", [Float32Array.from(reals)]))]).toEqual(want);
  });
});

test("constants, registers and sums", async () => {
  const k = sums();
  const xs = summed;
  const want = Array.from({ length: 12 }, (_, i) => {
    const row = Math.floor(i / 4) * 4;
    return wrap([0, 1, 2, 3].reduce((sum, j) => sum + (xs[row + j] ?? 0n), most) + BigInt(i % 4));
  });
  expect([...(await results(k, "i64", [xs]))]).toEqual(want);
  const parsed = parseKernel(printKernel(k));
  expect(parsed.ok && parsed.kernel).toEqual(k);
  expect(printKernel(k)).toContain("i64(9223372036854775807)");
});

describe("the verifier", () => {
  const row = (index: Expr, from: readonly Elem[] = ["i64"]): Kernel =>
    mapped("wide_index", from, "f32", 8, ([x = constant(0, i64)]) => {
      const at = index.kind === "name" && index.name === "x" ? x : replaced(index, x);
      return convert(load("x0", at, i64), "f32");
    });
  const replaced = (e: Expr, x: Expr): Expr => {
    if (e.kind === "name" && e.name === "x") return x;
    if (e.kind === "op") return { ...e, args: e.args.map((a) => replaced(a, x)) };
    return e.kind === "convert" ? { ...e, arg: replaced(e.arg, x) } : e;
  };
  const x = name("x", i64);
  const messages = (k: Kernel, target = wasmTarget): string =>
    verify(k, target)
      .map((p) => `${p.rule}: ${p.message}`)
      .join("; ");

  test("an index is an i32, and of what is known to be in range", () => {
    expect(messages(row(x))).toContain("an index of x0 is i64");
    expect(messages(row(convert(min(max(x, 0), 7), "i32")))).toBe("");
    expect(messages(row(convert(min(max(x, 0), 8), "i32")))).toContain("past the end");
    expect(messages(row(convert(min(x, 7), "i32")))).toContain("below 0");
    expect(messages(row(convert(x, "i32")))).toMatch("may be");
  });
  test("what wraps on the way to an i32 proves nothing", () => {
    // 2^61·g wraps at 64 bits, and 2^33·g loses its upper bits: neither is the number that its factors say.
    const g = convert(name("g"), "i64");
    const big = (value: bigint): Expr => ({ kind: "wide", type: i64, value });
    const wraps = min(op("mod", op("mul", g, big(2n ** 61n + 1n)), 8), 7);
    expect(messages(row(convert(wraps, "i32")))).not.toBe("");
    const cut = op("add", convert(op("mul", g, big(2n ** 32n + 1n)), "i32"), 0);
    expect(messages(row(cut))).not.toBe("");
  });
  test("there are no vectors, shared arrays or bits of them", () => {
    const wide = mapped("wide_vector", ["i64"], "i64", 8, () => load("x0", 0, typeOf("i64", 2)));
    expect(messages(wide)).toContain("there is no i64x2");
    expect(messages(mapped("wide_bits", ["i64"], "f32", 8, ([v = x]) => bitcast(v, "f32")))).toContain(
      "the bits of i64",
    );
    const plain = mapped("wide_shared", ["i64"], "i64", 8, ([v = x]) => v);
    expect(messages({ ...plain, shared: [{ name: "s", elem: "i64", size: 4 }] })).toContain("shared s of i64");
    const beyond = mapped("wide_beyond", ["i64"], "i64", 8, () => ({ kind: "wide", type: i64, value: most + 1n }));
    expect(messages(beyond)).toContain("is no i64");
  });
  test("a target without them refuses", () => {
    const gpu = exampleKernelTargets.find((t) => !t.i64);
    expect(gpu).toBeDefined();
    const copy = mapped("wide_copy", ["i64"], "i64", 8, ([v = x]) => v);
    expect(messages(copy, gpu)).toContain("the target has no i64");
    expect(
      messages(
        copy,
        exampleKernelTargets.find((t) => t.i64),
      ),
    ).toBe("");
  });
});

describe("faults", () => {
  test.each([
    ["a division by 0", "div", 0n, "divided by 0"],
    ["a remainder by 0", "mod", 0n, "divided by 0"],
    ["a shift by 64 bits", "shl", 64n, "shifted by 64 bits"],
    ["a shift by less than none", "shr", -1n, "shifted by -1 bits"],
  ] as const)("%s is reported", (_, o, by, message) => {
    const k = mapped("wide_fault", ["i64", "i64"], "i64", 1, ([x = constant(0, i64), y = x]) => op(o, x, y));
    const buffers = { x0: BigInt64Array.of(5n), x1: BigInt64Array.of(by), y: new BigInt64Array(1) };
    expect(interpret(k, { sizes: {}, buffers })?.message).toContain(message);
  });
});
