/** The smallest model that has a storage format, and checkpoints in memory. */
import { type TensorToWrite, writeSafetensors } from "../../runtime/formats/write-safetensors.ts";

export const matrixText = `import fp8_blocks from "std/quantization"

model matrix {
  config {
    O : dim = $.rows
    I : dim = $.columns
  }
  storage e4m3 as fp8_blocks(B: 128)
  weight w : [O, I] at "w.weight"
  entry forward(x: [I]) -> y: [O] {
    y[o] := w[o,i] * x[i]
  }
}
`;

export interface GivenTensor extends TensorToWrite {
  readonly data: Uint8Array;
}

export async function fileOf(tensors: readonly GivenTensor[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(tensors.map((t) => ({ ...t, data: () => [t.data] })))) chunks.push(chunk);
  return Buffer.concat(chunks);
}
