/** Modules of several kernels over one memory, which the caller gives as `env.memory`; variants for what an engine can do. */
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { addBarrier, barrierName } from "./barrier.ts";
import { type Binaryen, loadBinaryen, type Module } from "./binaryen.ts";
import { spellKernel } from "./spell.ts";
import { wasmTarget } from "./target.ts";
import { WasmError } from "./wasm-error.ts";

/** 4 GB, all that 32-bit addresses reach. */
export const maximumPages = 65_536;

export interface ModuleVariant {
  /** Whether engines without relaxed SIMD are left out: `fma` is one instruction then, and rounds as the machine does. */
  readonly relaxed: boolean;
  /** Whether the memory is shared between threads, which is fixed in a module; it exports a barrier then. */
  readonly shared: boolean;
}
export const plainVariant: ModuleVariant = { relaxed: false, shared: false };

/** The bytes of a module of lowered kernels, which are exported by name. Throws `WasmError`. */
export async function wasmModule(kernels: readonly Kernel[], variant = plainVariant): Promise<Uint8Array> {
  check(kernels);
  return built(kernels, variant, (m) => m.emitBinary());
}

/** The same as text, for people. */
export async function wasmText(kernels: readonly Kernel[], variant = plainVariant): Promise<string> {
  check(kernels);
  return built(kernels, variant, (m) => m.emitText());
}

/** The bytes of each of these variants; the kernels are proved once. */
export async function wasmModules(
  kernels: readonly Kernel[],
  variants: readonly ModuleVariant[],
): Promise<readonly Uint8Array[]> {
  check(kernels);
  const modules: Uint8Array[] = [];
  for (const variant of variants) modules.push(await built(kernels, variant, (m) => m.emitBinary()));
  return modules;
}

async function built<T>(kernels: readonly Kernel[], variant: ModuleVariant, use: (m: Module) => T): Promise<T> {
  const wasm = await loadBinaryen();
  const m = new wasm.Module();
  try {
    fill(wasm, m, kernels, variant);
    return use(m);
  } finally {
    m.dispose(); // nothing of it is freed otherwise
  }
}

function check(kernels: readonly Kernel[]): void {
  const names = new Set<string>([barrierName]); // in all variants, so that all take the same kernels
  for (const k of kernels) {
    if (names.has(k.name)) throw new WasmError("invalid-kernel", k.name, "something else has this name");
    names.add(k.name);
    const problems = verify(k, wasmTarget);
    if (problems.length > 0)
      throw new WasmError("invalid-kernel", k.name, problems.map((p) => `${p.rule}: ${p.message}`).join("; "));
  }
}

function fill(wasm: Binaryen, m: Module, kernels: readonly Kernel[], { relaxed, shared }: ModuleVariant): void {
  const { SIMD128, MutableGlobals, SignExt, NontrappingFPToInt, BulkMemory, RelaxedSIMD } = wasm.Features;
  const always = SIMD128 | MutableGlobals | SignExt | NontrappingFPToInt | BulkMemory;
  m.setFeatures(always | (relaxed ? RelaxedSIMD : 0) | (shared ? wasm.Features.Atomics : 0));
  m.setMemory(1, maximumPages, null, [], shared, false, "memory");
  m.addMemoryImport("memory", "env", "memory", shared);
  for (const k of kernels) spellKernel(wasm, m, k, relaxed);
  if (shared) addBarrier(wasm, m);
  if (m.validate() === 0)
    throw new WasmError("bad-module", null, "binaryen refuses the module; its reason is on the console");
}
