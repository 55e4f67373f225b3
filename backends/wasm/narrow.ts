/** Between packed lanes of 8 and 16 bits and lanes of 32 bits. `width` is that of the whole value. */
import type { Ref } from "./binaryen.ts";
import { type Frame, lanesPerPart, type Parts } from "./frame.ts";

export type Packed = "i8" | "i16" | "f16" | "bf16";

const halves = (f: Frame, parts: Parts, count: number, half: (part: Ref, high: boolean) => Ref): Parts => {
  const sources = parts.map((p) => f.onceVector(p));
  return Array.from({ length: count }, (_, i) => half(sources[i >> 1]?.() ?? 0, i % 2 === 1));
};

/** i8 as i16. */
export const i8ToI16 = (f: Frame, parts: Parts, width: number): Parts =>
  halves(f, parts, Math.ceil(width / 8), (part, high) =>
    high ? f.m.i16x8.extend_high_i8x16_s(part) : f.m.i16x8.extend_low_i8x16_s(part),
  );

/** Integers with their sign, codes without, in 32 bits each. */
export function widened(f: Frame, elem: Packed, parts: Parts, width: number): Parts {
  const { i32x4 } = f.m;
  const count = Math.ceil(width / 4);
  if (elem === "i8") return widened(f, "i16", i8ToI16(f, parts, width), width);
  if (elem === "i16")
    return halves(f, parts, count, (part, high) =>
      high ? i32x4.extend_high_i16x8_s(part) : i32x4.extend_low_i16x8_s(part),
    );
  return halves(f, parts, count, (part, high) =>
    high ? i32x4.extend_high_i16x8_u(part) : i32x4.extend_low_i16x8_u(part),
  );
}

/** The low half of each lane of `from` bytes. */
export function narrowed(f: Frame, parts: Parts, from: 2 | 4): Parts {
  const keep = from / 2;
  const low = Array.from({ length: 16 }, (_, i) => Math.floor(i / keep) * from + (i % keep));
  const out: Ref[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    const first = f.onceVector(parts[i] ?? 0);
    const second = parts[i + 1];
    out.push(f.m.i8x16.shuffle(first(), second ?? first(), low));
  }
  return out;
}

/** The low bits of each i32. */
export const packed = (f: Frame, elem: Packed, parts: Parts): Parts =>
  elem === "i8" ? narrowed(f, narrowed(f, parts, 4), 2) : narrowed(f, parts, 4);

/** `elem` from memory as lanes of 32 bits, widened by the load where there is such a load. */
export function loadWidened({ m }: Frame, elem: Packed, width: number, pointer: () => Ref, offset: number): Parts {
  const { v128, i16x8, i32x4 } = m;
  const signed = elem === "i8" || elem === "i16";
  return Array.from({ length: Math.ceil(width / 4) }, (_, i) => {
    if (elem === "i8") {
      const four =
        width === 2 ? v128.load16_splat(offset, 1, pointer()) : v128.load32_zero(offset + 4 * i, 1, pointer());
      return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(four));
    }
    if (width === 2) {
      const two = v128.load32_zero(offset, 2, pointer());
      return signed ? i32x4.extend_low_i16x8_s(two) : i32x4.extend_low_i16x8_u(two);
    }
    const at = offset + 8 * i;
    return signed ? v128.load16x4_s(at, 2, pointer()) : v128.load16x4_u(at, 2, pointer());
  });
}

/** i8 from memory as i16; null where no load does that. */
export function loadI8AsI16({ m }: Frame, width: number, pointer: () => Ref, offset: number): Parts | null {
  if (width < 8) return null;
  return Array.from({ length: width / lanesPerPart("i16") }, (_, i) => m.v128.load8x8_s(offset + 8 * i, 1, pointer()));
}
