/** Instructions of relaxed SIMD: binaryen has no wrappers for them, but the entry points of its C interface. */
import type { Binaryen, Module, Ref } from "./binaryen.ts";
import { WasmError } from "./wasm-error.ts";

/** No documented interface of the package, so it is looked at before it is used. */
interface Hidden {
  readonly _BinaryenSIMDTernary?: unknown;
}
const isTernary = (f: unknown): f is (module: number, op: number, a: Ref, b: Ref, c: Ref) => Ref =>
  typeof f === "function";

/** f32x4.relaxed_madd: a·b + c, rounded once or twice, as the machine does. */
export function relaxedMadd(wasm: Binaryen, m: Module, operands: readonly [Ref, Ref, Ref]): Ref {
  const { _BinaryenSIMDTernary: ternary } = wasm as Hidden;
  if (!isTernary(ternary)) throw new WasmError("bad-module", null, "this binaryen makes no relaxed SIMD");
  return ternary(m.ptr, wasm.RelaxedMaddVecF32x4, ...operands);
}
