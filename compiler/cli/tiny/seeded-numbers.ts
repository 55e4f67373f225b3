/**
 * Numbers of a tensor from a seed and its name, in whole-number arithmetic alone, so that they are the same everywhere:
 *
 *     u = mulberry32(fnv1a32(utf8("{seed}/{name}"))), one output of 32 bits for each element, row-major
 *     gain      1 + ((u >> 26) - 32) / 2^7                        0.75 to 1.24
 *     shift     ((u >> 24) - 128) / 2^8                           -0.5 to 0.49
 *     matrix    ((u >> 24) - 128) / 2^(6 + floor(log2(n) / 2))    n: elements of a row; about 1.2 to 2.3 times 1 / sqrt(n)
 *     integers  u >> 24
 *     indices   u mod C; along the last axis without repetition where C is not less than its length
 *
 * A real value has at most eight bits of significand, so it is the same in bf16, f16 and f32.
 */
import type { PlacedTensor, TensorRole } from "./placed-tensors.ts";

/** FNV-1a, 32 bits. */
export function fnv1a(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

/** mulberry32: each call gives the next of 2^32 unsigned integers. */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

export function seededNumbers(
  seed: number,
  { name, shape, role }: Pick<PlacedTensor, "name" | "shape" | "role">,
): Float64Array {
  const next = mulberry32(fnv1a(new TextEncoder().encode(`${seed}/${name}`)));
  const count = shape.reduce((product, size) => product * size, 1);
  if (role.kind === "indices") return seededIndices(next, count, shape.at(-1) ?? 1, role.below);
  const make = oneNumber(role, shape);
  return new Float64Array(count).map(() => make(next()));
}

function oneNumber({ kind }: TensorRole, shape: readonly number[]): (bits: number) => number {
  switch (kind) {
    case "gain":
      return (u) => 1 + ((u >>> 26) - 32) / 2 ** 7;
    case "shift":
      return (u) => ((u >>> 24) - 128) / 2 ** 8;
    case "matrix": {
      // what one output is summed over: all axes but the first, a convolution's window included
      const row = shape.slice(1).reduce((product, size) => product * size, 1);
      const unit = 2 ** -(6 + Math.floor((31 - Math.clz32(row)) / 2));
      return (u) => ((u >>> 24) - 128) * unit;
    }
    case "integers":
    case "indices":
      return (u) => u >>> 24;
    default:
      return kind satisfies never;
  }
}

/** Each row's indices are drawn one by one from those that are left (Fisher and Yates), while there are enough. */
function seededIndices(next: () => number, count: number, row: number, below: number): Float64Array {
  const values = new Float64Array(count);
  if (below < row) return values.map(() => next() % below);
  for (let start = 0; start < count; start += row) {
    const moved = new Map<number, number>();
    for (let i = 0; i < row; i += 1) {
      const at = i + (next() % (below - i));
      values[start + i] = moved.get(at) ?? at;
      moved.set(at, moved.get(i) ?? i);
    }
  }
  return values;
}
