/** Modules for engines with relaxed SIMD and for shared memory: what is in them, and that they give what the plain one gives. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WasmInstance } from "../../backends/wasm/instance.ts";
import { type ModuleVariant, plainVariant, wasmModule, wasmText } from "../../backends/wasm/module.ts";
import { sharedLayout } from "../../backends/wasm/pointers.ts";
import { wasmRelaxedTarget, wasmTarget } from "../../backends/wasm/target.ts";
import { type Data, evaluateExtent, newData } from "../../compiler/kernel/interpret.ts";
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { lower } from "../../compiler/kernel/lower/lower.ts";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import type { KernelTarget } from "../../compiler/target/kernel-target.ts";
import { kernelCases } from "./cases.ts";
import { read } from "./data.ts";
import type { KernelCase } from "./kernel-case.ts";
import { emptyOutputs, runWasm } from "./run-wasm.ts";
import { firstWrong } from "./tolerance.ts";

const full = process.env["DSC_FULL"] === "1";
const relaxed: ModuleVariant = { relaxed: true, shared: false };
const shared: ModuleVariant = { relaxed: false, shared: true };

const node24 = ["-y", "-p", "node@24", "node"];

/** Empty where there is a Node that has relaxed SIMD. */
function whyNoNode24(): string {
  if (!full) return " (needs DSC_FULL=1)";
  try {
    execFileSync("npx", [...node24, "--version"], { stdio: "pipe", timeout: 240_000 });
    return "";
  } catch {
    return " (no Node 24 to be installed here)";
  }
}
const missing = whyNoNode24();

function lowered(text: string): Kernel {
  const parsed = parseKernel(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return lower(parsed.kernel, wasmTarget);
}
const product = (n: string): string => `kernel @${n} "" read x: f32[4] rows write y: f32[4] rows lanes 1
  { y[0] = fma(x[0]:4, x[0]:4, f32x4(1)) }`;

test("fma is one instruction in relaxed modules only", async () => {
  const kernels = [lowered(product("k"))];
  const [plain, one] = [await wasmText(kernels), await wasmText(kernels, relaxed)];
  expect(one.match(/f32x4\.relaxed_madd/g)).toHaveLength(1);
  expect(one).not.toContain("f32x4.mul");
  expect(plain).not.toContain("relaxed");
  expect(plain).toContain("f32x4.mul");
});

test("a module over shared memory exports a barrier, and takes no other memory", async () => {
  const kernels = [lowered(product("k"))];
  const [plain, both] = [await wasmModule(kernels), await wasmModule(kernels, shared)];
  const exportsOf = async (bytes: Uint8Array): Promise<readonly string[]> =>
    WebAssembly.Module.exports(await WebAssembly.compile(new Uint8Array(bytes))).map((e) => e.name);
  expect(await exportsOf(plain)).toEqual(["k"]);
  expect(await exportsOf(both)).toEqual(["k", "barrier"]);
  await expect(WasmInstance.open(both, 16)).rejects.toThrow(/memory/);
  await expect(WasmInstance.open(plain, 16, true)).rejects.toThrow(/memory/);
});

test("no kernel has the name of the barrier", async () => {
  const kernels = [lowered(product("barrier"))];
  for (const variant of [plainVariant, shared]) await expect(wasmModule(kernels, variant)).rejects.toThrow(/this name/);
});

const few = (target: KernelTarget): readonly KernelCase[] =>
  kernelCases(target).filter((c) => /gemv of f32|contraction|attention|rms_norm|exp/.test(c.name));

test("shared memory changes no result", async () => {
  for (const c of few(wasmTarget)) {
    const k = lower(c.kernel, wasmTarget);
    const plain = await runWasm(await wasmModule([k]), k, c, [null]);
    expect(await runWasm(await wasmModule([k], shared), k, c, [null], true), c.name).toEqual(plain);
  }
});

const base64 = (data: Data | Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
/** As run-module.mjs takes it. */
async function callOf(c: KernelCase, k: Kernel, variant: ModuleVariant) {
  const outputs = emptyOutputs(k, c.sizes);
  return {
    module: base64(await wasmModule([k], variant)),
    shared: variant.shared,
    name: k.name,
    buffers: k.buffers.map((b) => base64(outputs[b.name] ?? c.inputs[b.name] ?? new Uint8Array())),
    sizes: k.sizes.map((s) => c.sizes[s.name]),
    items: k.grid.reduce((n, g) => n * evaluateExtent(g.extent, c.sizes), 1),
    scratch: sharedLayout(k).bytes,
  };
}

test.skipIf(missing !== "")(
  `in Node 24, relaxed or not, shared or not, a kernel gives what is expected${missing}`,
  async () => {
    const variants = [plainVariant, relaxed, { relaxed: true, shared: true }];
    const all = few(wasmRelaxedTarget).flatMap((c) => variants.map((variant) => ({ c, variant })));
    const kernels = all.map(({ c }) => lower(c.kernel, wasmRelaxedTarget));
    const calls = await Promise.all(all.map(({ c, variant }, i) => callOf(c, kernels[i] ?? c.kernel, variant)));
    const script = join(import.meta.dirname, "run-module.mjs");
    const reply = execFileSync("npx", [...node24, script], { input: JSON.stringify(calls), maxBuffer: 2 ** 28 });
    const results: readonly (readonly string[])[] = JSON.parse(reply.toString());
    expect(results).toHaveLength(all.length);
    for (const [i, { c, variant }] of all.entries()) {
      for (const [j, b] of (kernels[i]?.buffers ?? []).entries()) {
        const want = c.expected[b.name];
        if (want === undefined) continue;
        const data = newData(b.elem, want.values.length);
        new Uint8Array(data.buffer).set(Buffer.from(results[i]?.[j] ?? "", "base64").subarray(0, data.byteLength));
        expect(firstWrong(read(b.elem, data), want), `${c.name}, ${JSON.stringify(variant)}: ${b.name}`).toBeNull();
      }
    }
  },
  240_000,
);
