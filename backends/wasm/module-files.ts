/** The modules of a package: one for each ability of an engine that a runtime chooses by, and the plain one as text for people. */
import type { Kernel } from "../../compiler/kernel/kernel.ts";
import type { PackageFile } from "../../compiler/package/package-file.ts";
import { wasmModules } from "./module.ts";

const variants = [
  { name: "simd.wasm", relaxed: false, shared: false },
  { name: "relaxed.wasm", relaxed: true, shared: false },
  { name: "simd-threads.wasm", relaxed: false, shared: true },
  { name: "relaxed-threads.wasm", relaxed: true, shared: true },
] as const;

export async function moduleFiles(kernels: readonly Kernel[]): Promise<readonly PackageFile[]> {
  const modules = await wasmModules(kernels, variants, (m, { relaxed, shared }) => ({
    bytes: m.emitBinary(),
    text: relaxed || shared ? null : m.emitText(),
  }));
  return modules.flatMap(({ bytes, text }, i): readonly PackageFile[] => [
    { name: variants[i]?.name ?? "", content: bytes },
    ...(text === null ? [] : [{ name: "simd.wat", content: text }]),
  ]);
}
