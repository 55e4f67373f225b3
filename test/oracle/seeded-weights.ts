/** Weights from a seed, the same bits as seeded_weights.py makes. README.md defines the generator. */
import { fnv1a, mulberry32 } from "../../compiler/cli/tiny/seeded-numbers.ts";

/** Row-major; every value is exact in bf16, f16 and f32. */
export function seededTensor(seed: number, name: string, shape: readonly number[]): Float32Array {
  const next = mulberry32(fnv1a(new TextEncoder().encode(`${seed}/${name}`)));
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (name.endsWith("norm.weight")) return values.map(() => 1 + ((next() >>> 26) - 32) / 2 ** 7);
  const unit = 2 ** -shiftOf(name, shape);
  return values.map(() => ((next() >>> 24) - 128) * unit);
}

function shiftOf(name: string, shape: readonly number[]): number {
  if (name.endsWith(".bias")) return 8;
  // up to a quarter: scores of 0 to 1 still have a say
  if (name.endsWith(".e_score_correction_bias")) return 9;
  if (name.endsWith("embed_tokens.weight")) return 7;
  const fanIn = shape.at(-1) ?? 1;
  // about 1.2 to 2.3 times the variance-keeping 1 / sqrt(fan-in), so that no softmax is nearly flat
  return 6 + Math.floor((31 - Math.clz32(fanIn)) / 2);
}

/** FNV-1a of the little-endian f32 bytes in row-major order, eight hex digits. */
export function checksum(values: Float32Array): string {
  const bytes = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => {
    bytes.setFloat32(i * 4, value, true);
  });
  return fnv1a(new Uint8Array(bytes.buffer)).toString(16).padStart(8, "0");
}
