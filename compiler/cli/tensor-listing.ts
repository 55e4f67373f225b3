/** What a checkpoint holds, as the checker reads it: the header of a safetensors file, a line a tensor. */
import type { TensorInfo } from "../../runtime/weights/weights.ts";

/** Tensors that the index of a sharded checkpoint leaves out are no part of it. */
export function tensorListing(tensors: ReadonlyMap<string, Pick<TensorInfo, "dtype" | "shape">>): string {
  const lines = [...tensors].map(
    ([name, { dtype, shape }]) => `  ${JSON.stringify(name)}: ${JSON.stringify({ dtype, shape })}`,
  );
  return `{\n${lines.join(",\n")}\n}\n`;
}
