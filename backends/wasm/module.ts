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
  prove(kernels);
  const [bytes] = await wasmModules(kernels, [variant], (m) => m.emitBinary());
  if (bytes === undefined) throw new WasmError("bad-module", null, "nothing was written");
  return bytes;
}

/** The same as text, for people. */
export async function wasmText(kernels: readonly Kernel[], variant = plainVariant): Promise<string> {
  prove(kernels);
  const [text] = await wasmModules(kernels, [variant], (m) => m.emitText());
  return text ?? "";
}

/**
 * What `use` makes of the module of each variant, in the order of these. The kernels are proved by who gives them, and are spelled
 * once for engines with relaxed SIMD and once for those without: how the memory is imported is all that sharing changes.
 */
export async function wasmModules<T>(
  kernels: readonly Kernel[],
  variants: readonly ModuleVariant[],
  use: (m: Module, variant: ModuleVariant) => T,
): Promise<readonly T[]> {
  checkNames(kernels);
  const wasm = await loadBinaryen();
  const made = new Map<ModuleVariant, T>();
  for (const relaxed of new Set(variants.map((v) => v.relaxed))) {
    const m = new wasm.Module();
    try {
      const own = variants.filter((v) => v.relaxed === relaxed).sort((a, b) => Number(a.shared) - Number(b.shared));
      for (const [i, variant] of own.entries()) {
        importMemory(wasm, m, variant);
        if (i === 0) for (const k of kernels) spellKernel(wasm, m, k, relaxed);
        finish(wasm, m, variant);
        made.set(variant, use(m, variant));
      }
    } finally {
      m.dispose(); // nothing of it is freed otherwise
    }
  }
  return variants.flatMap((v) => [...made].flatMap(([variant, result]) => (variant === v ? [result] : [])));
}

function checkNames(kernels: readonly Kernel[]): void {
  const names = new Set<string>([barrierName]); // in all variants, so that all take the same kernels
  for (const { name } of kernels) {
    if (names.has(name)) throw new WasmError("invalid-kernel", name, "something else has this name");
    names.add(name);
  }
}

function prove(kernels: readonly Kernel[]): void {
  for (const k of kernels) {
    const problems = verify(k, wasmTarget);
    if (problems.length > 0)
      throw new WasmError("invalid-kernel", k.name, problems.map((p) => `${p.rule}: ${p.message}`).join("; "));
  }
}

/** Called again for the same module, its memory is another. */
function importMemory({ Features }: Binaryen, m: Module, { relaxed, shared }: ModuleVariant): void {
  const { SIMD128, MutableGlobals, SignExt, NontrappingFPToInt, BulkMemory, RelaxedSIMD } = Features;
  const always = SIMD128 | MutableGlobals | SignExt | NontrappingFPToInt | BulkMemory;
  m.setFeatures(always | (relaxed ? RelaxedSIMD : 0) | (shared ? Features.Atomics : 0));
  m.setMemory(1, maximumPages, null, [], shared, false, "memory");
  m.addMemoryImport("memory", "env", "memory", shared);
}

function finish(wasm: Binaryen, m: Module, { shared }: ModuleVariant): void {
  if (shared && m.getFunction(barrierName) === 0) addBarrier(wasm, m);
  if (m.validate() === 0)
    throw new WasmError("bad-module", null, "binaryen refuses the module; its reason is on the console");
}
