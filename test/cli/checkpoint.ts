/** A recorded model as a downloaded folder: config.json and safetensors, in f32 or bf16, whole or in shards. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TensorData, writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import type { OracleCase, OracleTensor } from "../oracle/cases.ts";

export interface CheckpointOptions {
  readonly dtype?: "F32" | "BF16";
  readonly shards?: number;
}

/** Little-endian. Every recorded value is exact in bf16, whose bits are the upper half of those of f32. */
function bytesOf({ data }: OracleTensor, dtype: "F32" | "BF16"): Uint8Array {
  const size = dtype === "F32" ? 4 : 2;
  const view = new DataView(new ArrayBuffer(data.length * size));
  const bits = new Uint32Array(Float32Array.from(data).buffer);
  for (const [i, word] of bits.entries()) {
    if (size === 4) view.setUint32(4 * i, word, true);
    else view.setUint16(2 * i, word >>> 16, true);
  }
  return new Uint8Array(view.buffer);
}

export async function writeCheckpoint(
  folder: string,
  oracle: OracleCase,
  options: CheckpointOptions = {},
): Promise<void> {
  const { dtype = "F32", shards = 1 } = options;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), oracle.config);
  const tensors = [...oracle.weights()].map(
    ([name, tensor]): TensorData => ({ name, dtype, shape: tensor.shape, data: () => [bytesOf(tensor, dtype)] }),
  );
  const map: Record<string, string> = {};
  for (let shard = 0; shard < shards; shard += 1) {
    const number = (n: number): string => String(n).padStart(5, "0");
    const file = shards === 1 ? "model.safetensors" : `model-${number(shard + 1)}-of-${number(shards)}.safetensors`;
    const own = tensors.filter((_, i) => i % shards === shard);
    for (const { name } of own) map[name] = file;
    const chunks: Uint8Array[] = [];
    for await (const chunk of writeSafetensors(own)) chunks.push(chunk);
    writeFileSync(join(folder, file), Buffer.concat(chunks));
  }
  if (shards > 1) writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
}
