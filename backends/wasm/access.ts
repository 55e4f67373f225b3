/** Loads and stores of whole values at an address. Alignments are those of one element: buffers promise no more. */
import { elems, type Type } from "../../compiler/kernel/elem.ts";
import type { Ref } from "./binaryen.ts";
import { type Address, type Frame, type Parts, partCount } from "./frame.ts";
import { splatI32 } from "./simd.ts";

export function loaded(f: Frame, t: Type, at: Address): Parts {
  return t.width === 1 ? [loadedScalar(f, t, at)] : loadedVector(f, t, at);
}

function loadedScalar({ m }: Frame, { elem }: Type, { pointer, offset }: Address): Ref {
  switch (elem) {
    case "f32":
      return m.f32.load(offset, 4, pointer());
    case "i64":
      return m.i64.load(offset, 8, pointer());
    case "i32":
    case "u32":
    case "bool":
      return m.i32.load(offset, 4, pointer());
    case "i8":
      return m.i32.load8_s(offset, 1, pointer());
    case "i16":
      return m.i32.load16_s(offset, 2, pointer());
    case "f16":
    case "bf16":
      return m.i32.load16_u(offset, 2, pointer());
    default:
      return elem satisfies never;
  }
}

function loadedVector(f: Frame, t: Type, { pointer, offset }: Address): Parts {
  const { v128, i32x4 } = f.m;
  const align = elems[t.elem].bytes;
  const bytes = align * t.width;
  if (bytes === 2) return [v128.load16_splat(offset, align, pointer())];
  if (bytes === 4) return [v128.load32_zero(offset, align, pointer())];
  const parts =
    bytes === 8
      ? [v128.load64_zero(offset, align, pointer())]
      : Array.from({ length: partCount(t) }, (_, i) => v128.load(offset + 16 * i, align, pointer()));
  return t.elem === "bool" ? parts.map((p) => i32x4.ne(p, splatI32(f, 0))) : parts;
}

/** The first bytes at the address, repeated to a register; null where no load does that. */
export function loadedRepeated({ m }: Frame, t: Type, { pointer, offset }: Address): (() => Ref) | null {
  const align = elems[t.elem].bytes;
  const { v128 } = m;
  if (t.elem === "bool") return null;
  switch (align * t.width) {
    case 1:
      return () => v128.load8_splat(offset, align, pointer());
    case 2:
      return () => v128.load16_splat(offset, align, pointer());
    case 4:
      return () => v128.load32_splat(offset, align, pointer());
    case 8:
      return () => v128.load64_splat(offset, align, pointer());
    default:
      return null;
  }
}

export function stored(f: Frame, t: Type, at: Address, parts: Parts): readonly Ref[] {
  const [first = 0] = parts;
  return t.width === 1 ? [storedScalar(f, t, at, first)] : storedVector(f, t, at, parts);
}

function storedScalar({ m }: Frame, { elem }: Type, { pointer, offset }: Address, value: Ref): Ref {
  switch (elems[elem].bytes) {
    case 1:
      return m.i32.store8(offset, 1, pointer(), value);
    case 2:
      return m.i32.store16(offset, 2, pointer(), value);
    case 4:
      return elem === "f32" ? m.f32.store(offset, 4, pointer(), value) : m.i32.store(offset, 4, pointer(), value);
    case 8:
      return m.i64.store(offset, 8, pointer(), value);
  }
}

function storedVector(f: Frame, t: Type, { pointer, offset }: Address, given: Parts): readonly Ref[] {
  const { v128 } = f.m;
  const align = elems[t.elem].bytes;
  const parts = t.elem === "bool" ? given.map((p) => v128.and(p, splatI32(f, 1))) : given;
  const [first = 0] = parts;
  switch (align * t.width) {
    case 2:
      return [v128.store16_lane(offset, align, 0, pointer(), first)];
    case 4:
      return [v128.store32_lane(offset, align, 0, pointer(), first)];
    case 8:
      return [v128.store64_lane(offset, align, 0, pointer(), first)];
    default:
      return parts.map((p, i) => v128.store(offset + 16 * i, align, pointer(), p));
  }
}
