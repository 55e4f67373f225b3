/** Every case as WebAssembly: against the interpreter, and against what must come out. */
import { describe, expect, test } from "vitest";
import { type Run, WasmInstance } from "../../backends/wasm/instance.ts";
import { wasmModule, wasmText } from "../../backends/wasm/module.ts";
import { wasmTarget } from "../../backends/wasm/target.ts";
import type { WasmErrorCode } from "../../backends/wasm/wasm-error.ts";
import { interpret } from "../../compiler/kernel/interpret.ts";
import type { Expr, Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { exprsOf, someExpr, walkStmts } from "../../compiler/kernel/walk.ts";
import { chooseGemv, gemv } from "./by-hand/gemv.ts";
import { kernelCases } from "./cases.ts";
import { floats, read } from "./data.ts";
import type { KernelCase } from "./kernel-case.ts";
import { emptyOutputs, type Outputs, type Ranges, runWasm } from "./run-wasm.ts";
import { firstWrong } from "./tolerance.ts";

/** Whether the IR leaves the target a choice of rounding: the order of a sum, or 1/√x to 2 ulp. fma rounds twice on both sides. */
function isFree(k: Kernel): boolean {
  const free = (e: Expr): boolean =>
    (e.kind === "fold" && e.monoid === "sum" && e.type.elem === "f32") || (e.kind === "op" && e.op === "rsqrt");
  let found = false;
  walkStmts(k.body, (s) => {
    if (exprsOf(s).some((e) => someExpr(e, free))) found = true;
  });
  return found;
}

function interpreted(c: KernelCase, k: Kernel): Outputs {
  const outputs = emptyOutputs(k, c.sizes);
  expect(interpret(k, { sizes: c.sizes, buffers: { ...c.inputs, ...outputs } }, { fma: "separate" })).toBeNull();
  return outputs;
}

const often = Array.from({ length: 60 }, () => null);
/** At once; in pieces, also empty ones and beyond the end; until the optimising compiler has been at it. */
const ways: Readonly<Record<string, Ranges>> = {
  "at once": [null],
  "in pieces": [
    [0, 0],
    [0, 1],
    [1, 3],
    [3, undefined],
  ],
  "many times": often,
};

describe.each(kernelCases(wasmTarget))("$name", (c) => {
  const k = lower(c.kernel, wasmTarget);
  test.each(Object.entries(ways))("%s", async (_, ranges) => {
    const got = await runWasm(await wasmModule([k]), k, c, ranges);
    const same = interpreted(c, k);
    for (const b of k.buffers.filter((x) => x.access !== "read")) {
      const [values, want] = [got[b.name], c.expected[b.name]];
      if (values === undefined || want === undefined) throw new Error(b.name);
      expect(firstWrong(read(b.elem, values), want), b.name).toBeNull();
      if (!isFree(k)) expect(values, b.name).toEqual(same[b.name]);
    }
  });
});

describe("text", () => {
  const start = (name: string): Kernel => {
    const found = kernelCases(wasmTarget).find((c) => c.name.startsWith(name));
    if (found === undefined) throw new Error(name);
    return lower(found.kernel, wasmTarget);
  };
  const g = { name: "gemv", weights: "bf16", batch: 1, multiple: 8 } as const;
  const twoRows = lower(gemv(g, { ...chooseGemv(g, wasmTarget), rows: 2, turn: 1 }), wasmTarget);
  const goldens = { "map-copy": start("copies"), "row-reduction": start("rms_norm of 3"), gemv: twoRows };
  test.each(Object.entries(goldens))("%s", async (file, k) => {
    await expect(await wasmText([k])).toMatchFileSnapshot(`../golden/wasm/${file}.wat`);
  });

  test("the same kernels give the same bytes, one by one and together", async () => {
    const kernels = [
      start("swiglu"),
      start("gemv of f32 37"),
      start("rms_norm"),
      start("attention"),
      start("contraction"),
    ];
    const first = await wasmModule(kernels);
    expect(await wasmModule(kernels)).toEqual(first);
    const exports = WebAssembly.Module.exports(await WebAssembly.compile(new Uint8Array(first)));
    expect(exports.map((e) => e.name)).toEqual(kernels.map((k) => k.name));
  });
});

describe("refusals", () => {
  const parsed = (text: string): Kernel => {
    const p = parseKernel(text);
    if (!p.ok) throw new Error(p.message);
    return p.kernel;
  };
  const one = parsed(
    'kernel @one "" size N min 1 read x: f32[N * N] rows write y: f32[N] rows grid g in N { y[g] = x[g] }',
  );
  const refused = (code: WasmErrorCode): unknown => expect.objectContaining({ name: "WasmError", code });

  test.each([
    ["invalid-kernel", 'kernel @k "" write y: f32[4] rows grid g in 4 { y[g + 1] = f32(1) }'],
    ["invalid-kernel", 'kernel @k "" write y: f32[4] rows lanes 4 { y[lane] = f32(1) }'],
    ["not-spelled", 'kernel @k "" write y: f32[4] rows { unroll i in 0 .. 4 step 1 { y[i] = f32(1) } }'],
    ["not-spelled", 'kernel @k "" write y: f32[4] rows grid g in 4 { y[g] = exp(to_f32(g)) }'],
    ["not-spelled", 'kernel @k "" write y: bf16[4] rows grid g in 4 { y[g] = to_bf16(g) }'],
  ] as const)("%s: %s", async (code, text) => {
    await expect(wasmModule([parsed(text)])).rejects.toEqual(refused(code));
  });
  test("two kernels of one name", async () => {
    await expect(wasmModule([one, one])).rejects.toEqual(refused("invalid-kernel"));
  });

  test("what a call may not be given", async () => {
    const instance = await WasmInstance.open(await wasmModule([one]), 3);
    const [x, y] = [instance.reserve(1024), instance.reserve(64)];
    const bind = (n: number, at: Readonly<Record<string, number>>) => (): Run => instance.bind(one, at, { N: n });
    expect(bind(16, { x, y })()).toBeTypeOf("function");
    expect(bind(0, { x, y })).toThrow(refused("bad-call"));
    expect(bind(1.5, { x, y })).toThrow(refused("bad-call"));
    expect(bind(16, { x })).toThrow(refused("bad-call"));
    expect(bind(16, { x: 0, y })).toThrow(refused("bad-call"));
    expect(bind(16, { x: x + 2, y })).toThrow(refused("bad-call"));
    expect(bind(65_536, { x, y })).toThrow(refused("bad-call")); // N * N is 0 as an i32
    expect(bind(300, { x, y })).toThrow(refused("out-of-memory"));
    expect(() => instance.bind({ ...one, name: "two" }, { x, y }, { N: 1 })).toThrow(refused("bad-call"));
    expect(() => instance.reserve(200_000)).toThrow(refused("out-of-memory"));
  });
});

test("a pointer before its memory leads back into it", async () => {
  // The first access is in range only under its guard; what shares its pointer always is.
  const p = parseKernel(`kernel @k "" read x: f32[64] rows write y: f32[60] rows
    { loop i in 0 .. 60 step 1 { reg s: f32[1] s[0] = f32(0) if 4 <= i { s[0] = x[i - 4] } y[i] = s[0] + x[i + 4] } }`);
  if (!p.ok) throw new Error(p.message);
  const inputs = { x: floats(64, 1) };
  const got = await runWasm(await wasmModule([p.kernel]), p.kernel, { sizes: {}, inputs }, [null]);
  const want = emptyOutputs(p.kernel, {});
  expect(interpret(p.kernel, { sizes: {}, buffers: { ...inputs, ...want } })).toBeNull();
  expect(got).toEqual(want);
});
