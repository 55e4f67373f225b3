/** WebGPU in this process: that of the npm package `webgpu`, which whoever wants it installs beside dsc. */
import { exitCodes } from "../exit-codes.ts";
import { Failure } from "../failure.ts";

/** It ends the process when it is collected while something of it is in use. */
let kept: GPU | null = null;

export async function openGpu(): Promise<GPU | Failure> {
  if (kept !== null) return kept;
  const found: unknown = await import("webgpu").catch((error: unknown) => error);
  if (isWebGpu(found)) {
    kept = found.create([]);
    return kept;
  }
  const missing = found instanceof Error && "code" in found && found.code === "ERR_MODULE_NOT_FOUND";
  const [why = ""] = (found instanceof Error ? found.message : String(found)).split("\n");
  return new Failure(
    exitCodes.errorsFound,
    missing ? "Node has no WebGPU by itself" : `WebGPU cannot be used here: ${why}`,
    missing ? "npm install webgpu" : null,
  );
}

/** Whether the process has to be ended: what waits for the GPU never lets it. */
export const isGpuOpen = (): boolean => kept !== null;

const isWebGpu = (x: unknown): x is { readonly create: (options: readonly string[]) => GPU } =>
  typeof x === "object" && x !== null && "create" in x && typeof x.create === "function";
