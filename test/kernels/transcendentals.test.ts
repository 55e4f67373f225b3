/** Functions that lowering writes out, against f64: within the accuracy that ops.ts states, by the interpreter and as WebAssembly. */
import { describe, expect, test } from "vitest";
import { wasmModule } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import { at, kernel } from "../../compiler/kernel/build.ts";
import { add, constant, name, op } from "../../compiler/kernel/expr.ts";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Kernel, Stmt } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import type { Transcendental } from "../../compiler/kernel/ops.ts";
import { walkExpr } from "../../compiler/kernel/walk.ts";
import { erf } from "../../compiler/ops/erf.ts";
import { random, specials } from "./data.ts";
import { runWasm } from "./run-wasm.ts";

const count = 20_000;
interface Inputs {
  readonly x: Float32Array;
  readonly z: Float32Array;
}

/** y[i] = f(x[i], z[i]), on vectors of a width. */
function kernelOf(f: Transcendental, width: number): Kernel {
  const extent = count;
  const buffers = {
    x: { elem: "f32", extent },
    z: { elem: "f32", extent },
    y: { elem: "f32", extent, access: "write" },
  } as const;
  const spec = { name: `k_${f}_${width}`, source: "", lanes: 1, sizes: {}, buffers, grid: { g: count / width } };
  return kernel(spec, (b, memory) => {
    const i = b.let("i", op("mul", name("g"), width));
    const args = [at(memory("x"), i, width), at(memory("z"), i, width)];
    b.store(memory("y"), i, op(f, ...(f === "pow" ? args : args.slice(0, 1))));
  });
}

const scratch = new DataView(new ArrayBuffer(4));
const ofBits = (bits: number): number => {
  scratch.setInt32(0, bits);
  return scratch.getFloat32(0);
};
/** One unit of the last place of an f32 near x. */
const unit = (x: number): number => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), -126) - 23);

interface Claim {
  readonly f: Transcendental;
  readonly meaning: (x: number, z: number) => number;
  /** Arguments, from numbers of -1..1. */
  readonly from: (a: number, b: number) => readonly [number, number];
  /** Error of a result that is no zero, infinity or nan. */
  readonly error: (got: number, want: number) => number;
  readonly most: number;
  /** Arguments before the random ones. */
  readonly first?: readonly (readonly [number, number])[];
}
const ulps = (got: number, want: number): number => Math.abs(got - want) / unit(want);
const absolutely = (got: number, want: number): number => Math.abs(got - want) * 2 ** 22;
const anyBits = (a: number): number => ofBits(Math.floor(a * 2 ** 31));
const pairs = (xs: readonly number[]): readonly (readonly [number, number])[] =>
  xs.flatMap((x) => [[x, 0] as const, [-x, 0] as const]);
const around = (x: number): readonly number[] => [x, x * (1 - 2 ** -23), x * (1 + 2 ** -23)];
const powers = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  -2,
  3,
  -3,
  1e-3,
  2.5,
  16777215,
  16777216,
  1e30,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  1e-30,
];

const claims: readonly Claim[] = [
  { f: "exp", meaning: Math.exp, from: (a) => [a * 86.8, 0], error: ulps, most: 2 },
  {
    f: "log",
    meaning: Math.log,
    from: (a) => [Math.abs(anyBits(a)), 0],
    error: ulps,
    most: 2,
    first: pairs([1, Math.SQRT1_2, Math.SQRT2, 2, 2 ** -126, 2 ** -149, 3.4e38].flatMap(around)),
  },
  { f: "log", meaning: Math.log, from: (a) => [1 + a * 0.6, 0], error: ulps, most: 2 },
  {
    f: "log1p",
    meaning: Math.log1p,
    from: (a, b) => [b < 0 ? a : Math.abs(anyBits(a)), 0],
    error: ulps,
    most: 2,
    first: pairs([1, 0.5, 2 ** -12, 1e-6, 1e-20].flatMap(around)),
  },
  { f: "log1p", meaning: Math.log1p, from: (a, b) => [a * 2 ** (-12 + 12 * b), 0], error: ulps, most: 2 },
  {
    f: "pow",
    meaning: (x, z) => x ** z,
    from: (a, b) => powNear(a, b, 20),
    error: ulps,
    most: 5,
    first: powers.flatMap((x) => powers.map((z) => [x, z] as const)),
  },
  { f: "pow", meaning: (x, z) => x ** z, from: (a, b) => powNear(a, b, 86.8), error: ulps, most: 5 },
  { f: "pow", meaning: (x, z) => x ** z, from: (a, b) => [1 + a * 0.45, b * 50], error: ulps, most: 5 },
  { f: "pow", meaning: (x, z) => x ** z, from: (a, b) => [a * 10, Math.round(b * 8)], error: ulps, most: 5 },
  {
    f: "sin",
    meaning: Math.sin,
    from: (a) => [a * 205_887, 0],
    error: absolutely,
    most: 1,
    first: pairs([...Array(200).keys()].flatMap((i) => around((i * 512 * Math.PI) / 2))),
  },
  {
    f: "cos",
    meaning: Math.cos,
    from: (a) => [a * 205_887, 0],
    error: absolutely,
    most: 1,
    first: pairs([...Array(200).keys()].flatMap((i) => around((i * 512 * Math.PI) / 2))),
  },
  {
    f: "sin",
    meaning: Math.sin,
    from: (a) => [a * Math.PI, 0],
    error: absolutely,
    most: 1,
    first: pairs([1e-20, 1e-25, 2 ** -13].flatMap(around)),
  },
  { f: "cos", meaning: Math.cos, from: (a) => [a * Math.PI, 0], error: absolutely, most: 1 },
  { f: "sin", meaning: Math.sin, from: (a, b) => [(a * 0.78) / 2 ** (10 * Math.abs(b)), 0], error: ulps, most: 2 },
  {
    f: "tanh",
    meaning: Math.tanh,
    from: (a, b) => [a * (b < 0 ? 1 : 10), 0],
    error: ulps,
    most: 2,
    first: pairs([0.625, 1e-20, 2 ** -12, 9.02, 44.4, 3e38].flatMap(around)),
  },
  {
    f: "erf",
    meaning: erf,
    from: (a, b) => [a * (b < 0 ? 1 : 4.5), 0],
    error: ulps,
    most: 2,
    first: pairs([0.92, 1e-20, 2 ** -12, 4, 3e38].flatMap(around)),
  },
];
/** A base of any size and the power that brings it within e^±limit. */
function powNear(a: number, b: number, limit: number): readonly [number, number] {
  const x = Math.abs(anyBits(a)) || 1;
  return [x, (b * limit) / Math.max(Math.abs(Math.log(x)), 1e-7)];
}

function inputsOf(c: Claim, seed: number): Inputs {
  const next = random(seed);
  const given = [...(c.first ?? []), ...specials.map((s) => [s, s] as const)];
  const all = Array.from({ length: count }, (_, i) => given[i] ?? c.from(next(), next()));
  return { x: Float32Array.from(all, ([x]) => x), z: Float32Array.from(all, ([, z]) => z) };
}
/** What targets may give otherwise. */
const isFree = (c: Claim, x: number, z: number, want: number): boolean =>
  (c.f === "pow" && Math.abs(x) === 1 && !Number.isFinite(z)) ||
  ((c.f === "sin" || c.f === "cos") && Math.abs(x) > 205_887.5 && Number.isFinite(x)) ||
  ((c.f === "exp" || c.f === "pow") && Math.abs(want) < 2 ** -125) ||
  (c.f === "log1p" && Math.abs(want) < 2 ** -126);

/** The greatest error; where the result is no number to measure, it is the same. */
function worst(c: Claim, { x, z }: Inputs, y: Float32Array): number {
  let most = 0;
  for (const [i, got] of y.entries()) {
    const [a, b] = [x[i] ?? 0, z[i] ?? 0];
    const want = c.meaning(a, b);
    if (isFree(c, a, b, want)) continue;
    const rounded = Math.fround(want);
    if (rounded === 0 || !Number.isFinite(rounded)) {
      if (!(got === rounded || (Number.isNaN(got) && Number.isNaN(rounded))))
        throw new Error(`${c.f}(${a}, ${b}) = ${got}, not ${want}`);
    } else {
      const error = c.error(got, want);
      if (!(error <= most)) most = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    }
  }
  return most;
}

describe.each(claims)("$f within $most, %#", (c) => {
  const given = inputsOf(c, 11);
  const lowered = lower(kernelOf(c.f, 4), wasmTarget);
  test.each(["separate", "fused"] as const)("interpreted, fma %s", (fma) => {
    const y = new Float32Array(count);
    expect(interpret(lowered, { sizes: {}, buffers: { ...given, y } }, { fma })).toBeNull();
    const most = worst(c, given, y);
    expect(most).toBeLessThan(c.most);
  });
  test("as WebAssembly, scalars and vectors", async () => {
    const single = lower(kernelOf(c.f, 1), wasmTarget);
    const bytes = await wasmModule([lowered, single]);
    for (const k of [lowered, single]) {
      const { y } = await runWasm(bytes, k, { sizes: {}, inputs: { ...given } }, [null]);
      expect(worst(c, given, Float32Array.from(y ?? []))).toBeLessThan(c.most);
    }
  });
});

/** All f32 operations on the way to the result, each with where its values go. */
function spied(k: Kernel): { readonly kernel: Kernel; readonly operations: number } {
  let operations = 0;
  const body = k.body.flatMap((s): readonly Stmt[] => {
    if (s.kind !== "let" && s.kind !== "store") return [s];
    const spies: Stmt[] = [];
    walkExpr(s.value, (e) => {
      if (e.kind !== "op" || e.type.elem !== "f32") return;
      spies.push({ kind: "store", to: "spy", index: add(name("g"), operations * count), value: e });
      operations += 1;
    });
    return [s, ...spies];
  });
  const extent = constant(operations * count);
  const spy = { name: "spy", elem: "f32", extent, access: "write", layout: "rows" } as const;
  return { kernel: { ...k, body, buffers: [...k.buffers, spy] }, operations };
}
const isDenormal = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126;

test.each(claims)("$f, %#: no denormal on the way where argument and result are none", (c) => {
  const { kernel: k, operations } = spied(lower(kernelOf(c.f, 1), wasmTarget));
  const given = inputsOf(c, 5);
  const [y, spy] = [new Float32Array(count), new Float32Array(operations * count)];
  expect(interpret(k, { sizes: {}, buffers: { ...given, y, spy } })).toBeNull();
  const near = (x: number): boolean => x === 0 || Math.abs(x) >= 2 ** -125;
  const found = spy.findIndex((v, at) => {
    const i = at % count;
    const want = Math.fround(c.meaning(given.x[i] ?? 0, given.z[i] ?? 0));
    return isDenormal(v) && [given.x[i] ?? 0, given.z[i] ?? 0, want].every(near) && want !== 0;
  });
  expect(found < 0 ? "none" : `${given.x[found % count]}, ${given.z[found % count]}: ${spy[found]}`).toBe("none");
});
