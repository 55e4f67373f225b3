/** What a kernel is given to be tried, as it is bound: by binding, and the uniform behind them. */
import { elemBytes } from "../../runtime/artifact/elems.ts";
import { behindStarts, checkBytes, type KernelCheck } from "../../runtime/artifact/kernel-checks.ts";
import type { KernelDecl } from "../../runtime/artifact/program.ts";

export interface CheckInputs {
  readonly buffers: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly written: boolean }[];
  readonly uniform: Int32Array<ArrayBuffer>;
}

export function checkInputs(check: KernelCheck, k: KernelDecl): CheckInputs {
  const starts: number[] = k.buffers.map(() => 0);
  const buffers = (k.gpu?.bindings ?? []).map((members) => {
    let end = 0;
    const parts = members.map((b) => {
      const bytes = checkBytes(check, k, b);
      const size = elemBytes[k.buffers[b]?.elem ?? "f32"];
      const at = end;
      starts[b] = at / size;
      end += Math.ceil(bytes.length / (16 * size)) * 16 * size;
      return { at, bytes };
    });
    const all = new Uint8Array(end);
    for (const { at, bytes } of parts) all.set(bytes, at);
    return { bytes: all, written: members.some((b) => k.buffers[b]?.access !== "read") };
  });
  return { buffers, uniform: Int32Array.of(...check.sizes, ...starts, ...behindStarts(check.bound)) };
}
