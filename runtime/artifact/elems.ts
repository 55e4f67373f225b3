/** Bytes of one stored element. */
import type { BufferElem } from "./program.ts";

export const elemBytes: Readonly<Record<BufferElem, number>> = {
  bool: 4,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  u32: 4,
  f16: 2,
  bf16: 2,
  f32: 4,
};

export const elemNames: readonly BufferElem[] = ["bool", "i8", "i16", "i32", "i64", "u32", "f16", "bf16", "f32"];
