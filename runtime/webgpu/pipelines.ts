/** A kernel as a pipeline. */
import { SelfTestError } from "../artifact/errors.ts";
import type { KernelDecl } from "../artifact/program.ts";
import type { Layouts } from "./bind-groups.ts";
import { uniformBytes } from "./uniforms.ts";

/** Throws SelfTestError for a text that the device does not take. */
export function makePipeline(
  device: GPUDevice,
  layouts: Layouts,
  decl: KernelDecl,
  text: string,
): Promise<GPUComputePipeline> {
  const layout = layouts.of(decl, uniformBytes(decl));
  // What is wrong with a module is said by the pipeline too.
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label: decl.name, code: text });
  device.popErrorScope().catch(() => undefined);
  return device
    .createComputePipelineAsync({
      label: decl.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: decl.name },
    })
    .catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new SelfTestError(`kernel ${decl.name} is refused by the GPU's compiler: ${why.split("\n")[0]}`, cause);
    });
}
