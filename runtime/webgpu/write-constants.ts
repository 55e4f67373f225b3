/** Constants of a program, to where they are on a GPU. */
import type { ConstantDecl } from "../artifact/program.ts";
import type { GpuPlan } from "./plan-gpu.ts";

export function writeConstants(
  queue: GPUQueue,
  { program, constants }: Pick<GpuPlan, "program" | "constants">,
  buffers: readonly GPUBuffer[],
): void {
  for (const { constant, from, elements, buffer, at } of constants) {
    const [decl, target] = [program.constants[constant], buffers[buffer]];
    if (decl !== undefined && target !== undefined && elements > 0)
      queue.writeBuffer(target, at, bytesOf(decl, from, from + elements));
  }
}

function bytesOf({ elem, values }: ConstantDecl, from: number, to: number): ArrayBuffer {
  if (elem === "i64") return BigInt64Array.from(values.slice(from, to).map(BigInt)).buffer;
  return elem === "i32"
    ? Int32Array.from(values.slice(from, to)).buffer
    : Float32Array.from(values.slice(from, to)).buffer;
}
