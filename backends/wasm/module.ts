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
  return moduleOf(kernels, variant, (m) => m.emitBinary());
}

/** The same as text, for people. */
export async function wasmText(kernels: readonly Kernel[], variant = plainVariant): Promise<string> {
  return moduleOf(kernels, variant, (m) => m.emitText());
}

async function moduleOf<T>(kernels: readonly Kernel[], variant: ModuleVariant, use: (m: Module) => T): Promise<T> {
  prove(kernels);
  const making = new WasmModules(await loadBinaryen(), [variant]);
  try {
    for (const k of kernels) making.add(k);
    const [made] = making.finish(use);
    if (made === undefined) throw new WasmError("bad-module", null, "nothing was written");
    return made;
  } finally {
    making.dispose();
  }
}

/**
 * A module for each variant, of kernels as they come. They are proved by who gives them, and are spelled once for engines with relaxed
 * SIMD and once for those without: how the memory is imported is all that sharing changes. Throws `WasmError`.
 */
export class WasmModules {
  readonly #wasm: Binaryen;
  readonly #variants: readonly ModuleVariant[];
  /** One for those with relaxed SIMD, one for those without. */
  readonly #modules = new Map<boolean, Module>();
  readonly #names = new Set<string>([barrierName]); // in all variants, so that all take the same kernels
  constructor(wasm: Binaryen, variants: readonly ModuleVariant[]) {
    this.#wasm = wasm;
    // What is shared has a function more, which stays: it comes last.
    this.#variants = [...variants].sort((a, b) => Number(a.shared) - Number(b.shared));
    for (const variant of this.#variants) {
      if (this.#modules.has(variant.relaxed)) continue;
      const m = new wasm.Module();
      this.#modules.set(variant.relaxed, m);
      importMemory(wasm, m, variant);
    }
  }

  add(k: Kernel): void {
    if (this.#names.has(k.name)) throw new WasmError("invalid-kernel", k.name, "something else has this name");
    this.#names.add(k.name);
    for (const [relaxed, m] of this.#modules) spellKernel(this.#wasm, m, k, relaxed);
  }

  /** What `use` makes of each, those without shared memory first; called once, last. */
  finish<T>(use: (m: Module, variant: ModuleVariant) => T): readonly T[] {
    return this.#variants.flatMap((variant) => {
      const m = this.#modules.get(variant.relaxed);
      if (m === undefined) return [];
      importMemory(this.#wasm, m, variant);
      finish(this.#wasm, m, variant);
      return [use(m, variant)];
    });
  }

  /** Nothing of a module is freed otherwise. */
  dispose(): void {
    for (const m of this.#modules.values()) m.dispose();
    this.#modules.clear();
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
