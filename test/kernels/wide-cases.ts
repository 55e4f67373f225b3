/** Kernels of whole numbers of 64 bits, one operation or conversion each. */
import { at, type BufferSpec, kernel } from "../../compiler/kernel/build.ts";
import { type Elem, i64 } from "../../compiler/kernel/elem.ts";
import { add, constant, convert, name, op, select, sub } from "../../compiler/kernel/expr.ts";
import type { AnyData } from "../../compiler/kernel/interpret.ts";
import type { Expr, Kernel } from "../../compiler/kernel/kernel.ts";

export const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
export const edges = [
  0n,
  1n,
  -1n,
  2n,
  -7n,
  31n,
  63n,
  2n ** 31n,
  -(2n ** 31n) - 1n,
  2n ** 53n + 1n,
  -(2n ** 62n),
  least,
  most,
];
export const pairs = edges.flatMap((x) => edges.map((y) => [x, y] as const));
export const wrap = (x: bigint): bigint => BigInt.asIntN(64, x);

/** y[i] = value(x0[i], x1[i], …). */
export function mapped(
  n: string,
  from: readonly Elem[],
  to: Elem,
  count: number,
  value: (x: readonly Expr[]) => Expr,
): Kernel {
  const buffers: Record<string, BufferSpec> = { y: { elem: to, extent: count, access: "write" } };
  for (const [i, elem] of from.entries()) buffers[`x${i}`] = { elem, extent: count };
  return kernel({ name: n, source: "", lanes: 1, sizes: {}, buffers, grid: { g: count } }, (b, memory) => {
    const inputs = from.map((_, i) => b.let("v", at(memory(`x${i}`), name("g"))));
    b.store(memory("y"), name("g"), value(inputs));
  });
}
const zeroFree = pairs.filter(([, y]) => y !== 0n);
const shifts = pairs.map(([x, y]) => [x, BigInt.asUintN(6, y)] as const);
/** By name: operands, and what comes out. */
export const binary: Readonly<Record<string, readonly [typeof pairs, (x: bigint, y: bigint) => bigint]>> = {
  add: [pairs, (x, y) => wrap(x + y)],
  sub: [pairs, (x, y) => wrap(x - y)],
  mul: [pairs, (x, y) => wrap(x * y)],
  div: [zeroFree, (x, y) => wrap(x / y)],
  mod: [zeroFree, (x, y) => x % y],
  xor: [pairs, (x, y) => x ^ y],
  and: [pairs, (x, y) => x & y],
  or: [pairs, (x, y) => x | y],
  shl: [shifts, (x, y) => wrap(x * 2n ** y)],
  shr: [shifts, (x, y) => x >> y],
  min: [pairs, (x, y) => (x < y ? x : y)],
  max: [pairs, (x, y) => (x < y ? y : x)],
  neg: [pairs, (x) => wrap(-x)],
};

/** x o y, or o x. */
export const operationOf = (o: string, count: number): Kernel =>
  mapped(`wide_${o}`, ["i64", "i64"], "i64", count, ([x = constant(0, i64), y = x]) =>
    o === "neg" ? op("neg", x) : op(o as "add", x, y),
  );
export const chosenBy = (o: "eq" | "lt" | "le"): Kernel =>
  mapped(`wide_${o}_select`, ["i64", "i64"], "i64", pairs.length, ([x = constant(0, i64), y = x]) =>
    select(op(o, x, y), x, sub(y, 1)),
  );
export const converting = (from: Elem, to: Elem, count: number): Kernel =>
  mapped(`wide_${from}_${to}`, [from], to, count, ([x = constant(0, from === "i64" ? i64 : undefined)]) =>
    convert(x, to),
  );

// Halfway between two f32, and just beside, where a double would round to the half first.
const half = 2n ** 62n + 2n ** 38n;
export const besideHalves = [...edges, half, half + 1n, half - 1n, -half - 1n, 2n ** 24n + 1n];
export const reals = [
  1.9,
  -1.9,
  0.3,
  2 ** 31,
  2 ** 40 + 2 ** 20,
  2 ** 62,
  2 ** 63,
  -(2 ** 63),
  -(2 ** 70),
  Number.NaN,
  Number.NEGATIVE_INFINITY,
];

/** A sum of i64 in a register, from the greatest on. */
export const sums = (): Kernel =>
  kernel(
    {
      name: "wide_sum",
      source: "",
      lanes: 1,
      sizes: {},
      buffers: { x0: { elem: "i64", extent: 12 }, y: { elem: "i64", extent: 12, access: "write" } },
      grid: { g: 3 },
    },
    (b, memory) => {
      const acc = b.reg("acc", i64, 1, { kind: "wide", type: i64, value: most });
      const first = op("mul", name("g"), 4);
      b.loop("k", { from: 0, to: 4, step: 1 }, (i) =>
        b.store(acc, 0, add(at(acc, 0), at(memory("x0"), add(first, i)))),
      );
      b.loop("j", { from: 0, to: 4, step: 1 }, (i) =>
        b.store(memory("y"), add(first, i), add(at(acc, 0), convert(i, "i64"))),
      );
    },
  );
export const summed = BigInt64Array.from({ length: 12 }, (_, i) => 2n ** 62n + BigInt(i));

export interface WideCase {
  readonly kernel: Kernel;
  readonly inputs: Readonly<Record<string, AnyData>>;
}
/** All of them. */
export function wideCases(): readonly WideCase[] {
  const two = (given: readonly (readonly [bigint, bigint])[]): WideCase["inputs"] => ({
    x0: BigInt64Array.from(given, (p) => p[0]),
    x1: BigInt64Array.from(given, (p) => p[1]),
  });
  const whole = { i8: Int8Array, i16: Int16Array, i32: Int32Array, u32: Uint32Array } as const;
  return [
    ...Object.entries(binary).map(([o, [given]]) => ({ kernel: operationOf(o, given.length), inputs: two(given) })),
    ...(["eq", "lt", "le"] as const).map((o) => ({ kernel: chosenBy(o), inputs: two(pairs) })),
    ...(["i8", "i16", "i32", "u32"] as const).flatMap((elem) => [
      { kernel: converting("i64", elem, edges.length), inputs: { x0: BigInt64Array.from(edges) } },
      { kernel: converting(elem, "i64", 4), inputs: { x0: whole[elem].of(7, -1, -128, 127) } },
    ]),
    { kernel: converting("i64", "f32", besideHalves.length), inputs: { x0: BigInt64Array.from(besideHalves) } },
    { kernel: converting("f32", "i64", reals.length), inputs: { x0: Float32Array.from(reals) } },
    { kernel: sums(), inputs: { x0: summed } },
  ];
}
