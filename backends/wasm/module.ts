/** Modules of several kernels over one memory, which the caller gives as `env.memory`. */
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { type Binaryen, loadBinaryen, type Module } from "./binaryen.ts";
import { spellKernel } from "./spell.ts";
import { wasmTarget } from "./target.ts";
import { WasmError } from "./wasm-error.ts";

/** 4 GB, all that 32-bit addresses reach. */
export const maximumPages = 65_536;

/** The bytes of a module of lowered kernels, which are exported by name. Throws `WasmError`. */
export const wasmModule = (kernels: readonly Kernel[]): Promise<Uint8Array> => built(kernels, (m) => m.emitBinary());

/** The same as text, for people. */
export const wasmText = (kernels: readonly Kernel[]): Promise<string> => built(kernels, (m) => m.emitText());

async function built<T>(kernels: readonly Kernel[], use: (m: Module) => T): Promise<T> {
  check(kernels);
  const wasm = await loadBinaryen();
  const m = new wasm.Module();
  try {
    fill(wasm, m, kernels);
    return use(m);
  } finally {
    m.dispose(); // nothing of it is freed otherwise
  }
}

function check(kernels: readonly Kernel[]): void {
  const names = new Set<string>();
  for (const k of kernels) {
    if (names.has(k.name)) throw new WasmError("invalid-kernel", k.name, "two kernels have this name");
    names.add(k.name);
    const problems = verify(k, wasmTarget);
    if (problems.length > 0)
      throw new WasmError("invalid-kernel", k.name, problems.map((p) => `${p.rule}: ${p.message}`).join("; "));
  }
}

function fill(wasm: Binaryen, m: Module, kernels: readonly Kernel[]): void {
  const { SIMD128, MutableGlobals, SignExt, NontrappingFPToInt, BulkMemory } = wasm.Features;
  m.setFeatures(SIMD128 | MutableGlobals | SignExt | NontrappingFPToInt | BulkMemory);
  m.setMemory(1, maximumPages, null, [], false, false, "memory");
  m.addMemoryImport("memory", "env", "memory");
  for (const k of kernels) spellKernel(wasm, m, k);
  if (m.validate() === 0)
    throw new WasmError("bad-module", null, "binaryen refuses the module; its reason is on the console");
}
