/** What a kernel is given to be tried, as it is bound: by binding, and the uniform behind them. */
import { elemBytes } from "../../runtime/artifact/elems.ts";
import { checkBytes, type KernelCheck } from "../../runtime/artifact/kernel-checks.ts";
import type { KernelDecl } from "../../runtime/artifact/program.ts";

export interface CheckInputs {
  readonly buffers: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly written: boolean }[];
  readonly uniform: Int32Array<ArrayBuffer>;
}

export function checkInputs(check: KernelCheck, k: KernelDecl): CheckInputs {
  const starts: number[] = k.buffers.map(() => 0);
  const buffers = (k.gpu?.bindings ?? []).map((members) => {
    const parts: number[] = [];
    for (const b of members) {
      const bytes = checkBytes(check, k, b);
      const size = elemBytes[k.buffers[b]?.elem ?? "f32"];
      starts[b] = parts.length / size;
      parts.push(...bytes, ...new Array<number>((16 * size - (bytes.length % (16 * size))) % (16 * size)).fill(0));
    }
    return { bytes: Uint8Array.from(parts), written: members.some((b) => k.buffers[b]?.access !== "read") };
  });
  return { buffers, uniform: Int32Array.of(...check.sizes, ...starts, 0) };
}
