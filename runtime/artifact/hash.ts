/** 64 bits that tell one file from another, for mistakes and not against forgery: MurmurHash3's mixing, in two lanes. */

export type Hash = readonly [number, number];

/** 16 digits, as a file has it. */
export const hashText = (hash: Hash): string => hash.map((word) => word.toString(16).padStart(8, "0")).join("");

const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

function finished(h: number): number {
  let x = h;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

export function hashBytes(bytes: Uint8Array, seed: Hash = [0, 0]): Hash {
  let [a, b] = [seed[0] | 0, ~seed[1]];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~3;
  const mix = (k: number): void => {
    const m = Math.imul(rotated(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
    a = (Math.imul(rotated(a ^ m, 13), 5) + 0xe6546b64) | 0;
    b = (Math.imul(rotated(b ^ Math.imul(k, 0x239b961b), 17), 5) + a) | 0;
  };
  for (let i = 0; i < whole; i += 4) mix(view.getInt32(i, true));
  for (let i = whole; i < bytes.length; i += 1) mix((bytes[i] ?? 0) + 256);
  return [finished(a ^ bytes.length), finished(b + bytes.length)];
}
