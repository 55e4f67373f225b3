/** Weights from a seed, the same bits as seeded_weights.py makes. README.md defines the generator. */
import { fnv1a, mulberry32 } from "../../compiler/cli/tiny/seeded-numbers.ts";

const norm = /(norm|norm[12]\.\d+|norms\.\d+)\.weight$|engram\.[qk]_weight$/;
const uniform = (seed: number, name: string): (() => number) =>
  mulberry32(fnv1a(new TextEncoder().encode(`${seed}/${name}`)));
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Row-major; every value is exact in bf16, f16 and f32. */
export function seededTensor(seed: number, name: string, shape: readonly number[]): Float32Array {
  const next = uniform(seed, name);
  const values = new Float32Array(sizeOf(shape));
  if (norm.test(name)) return values.map(() => 1 + ((next() >>> 26) - 32) / 2 ** 7);
  const unit = 2 ** -shiftOf(name, shape);
  return values.map(() => ((next() >>> 24) - 128) * unit);
}

/** Bytes of e4m3, no NaN among them, or of e8m0, 2^-10 to 2^-7. Row-major. */
export function seededCodes(
  seed: number,
  name: string,
  shape: readonly number[],
  kind: "f8_e4m3" | "f8_e8m0",
): Uint8Array {
  const next = uniform(seed, name);
  return new Uint8Array(sizeOf(shape)).map(() => {
    const bits = next();
    if (kind === "f8_e8m0") return 117 + (bits >>> 30);
    const high = bits >>> 24;
    return (high & 127) === 127 ? high - 1 : high;
  });
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

/** FNV-1a of the bytes in row-major order, little-endian where they are f32, eight hex digits. */
export function checksum(values: Float32Array | Uint8Array): string {
  if (values instanceof Uint8Array) return hex(fnv1a(values));
  const bytes = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, i) => {
    bytes.setFloat32(i * 4, value, true);
  });
  return hex(fnv1a(new Uint8Array(bytes.buffer)));
}

const hex = (value: number): string => value.toString(16).padStart(8, "0");
