/** Kernels as pipelines, all of them made at once. */
import { KernelError } from "../artifact/errors.ts";
import type { KernelDecl } from "../artifact/program.ts";
import type { Layouts } from "./bind-groups.ts";
import { uniformBytes } from "./uniforms.ts";

/** By ordinal of the kernel; null for those of `wanted` that nothing calls. Throws KernelError for a text that the device does not take. */
export function makePipelines(
  device: GPUDevice,
  layouts: Layouts,
  kernels: readonly KernelDecl[],
  textOf: (name: string) => string,
  wanted: ReadonlySet<number>,
): Promise<readonly (GPUComputePipeline | null)[]> {
  return Promise.all(
    kernels.map(async (decl, i) => {
      if (!wanted.has(i)) return null;
      const layout = layouts.of(decl, uniformBytes(decl.sizes.length + decl.buffers.length + 1));
      const module = device.createShaderModule({ label: decl.name, code: textOf(decl.name) });
      return device
        .createComputePipelineAsync({
          label: decl.name,
          layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
          compute: { module, entryPoint: decl.name },
        })
        .catch((cause: unknown) => {
          const why = cause instanceof Error ? cause.message : String(cause);
          throw new KernelError(`kernel ${decl.name} is refused by the GPU's compiler: ${why}`, cause);
        });
    }),
  );
}
