/** Numbers for inputs and weights: functions of their name and how many there are. */

/** In [0, 2³²), the same from run to run. */
export function seeded(text: string): () => number {
  let state = 0x811c9dc5;
  for (const c of text) state = Math.imul(state ^ c.charCodeAt(0), 0x01000193) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return (x ^ (x >>> 14)) >>> 0;
  };
}
/** In [-1, 1). */
export function reals(name: string, count: number, scale = 1): readonly number[] {
  const next = seeded(`${name}[${count}]`);
  return Array.from({ length: count }, () => (next() / 2 ** 31 - 1) * scale);
}
export function wholes(name: string, count: number, below: number): readonly number[] {
  const next = seeded(`${name}[${count}]`);
  return Array.from({ length: count }, () => next() % below);
}

/** All 64 bits of them. */
export function wides(name: string, count: number): readonly bigint[] {
  const next = seeded(`${name}[${count}]`);
  return Array.from({ length: count }, () => BigInt.asIntN(64, (BigInt(next()) << 32n) | BigInt(next())));
}

/** Where functions of reals break: zeros, the ends of f32, denormals, halves, whole numbers, no number. */
export const edges: readonly number[] = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, -3, 7, 1e-3, -1e-3, 0.1, -0.7],
  ...[2 ** -149, -(2 ** -149), 2 ** -126, 2 ** -100, 2 ** 24, 2 ** 24 - 1, -(2 ** 23) - 0.5, 1e10, -1e10, 1e30],
  ...[88.7, 88.8, -87, -104, 448, 449, 464, 465, 57344, 61440, 65504, 65520, 6, 5, -6, 240, 127.5, 2 ** -9, 2 ** -14],
  ...[3.4028234663852886e38, -3.4028234663852886e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
];
