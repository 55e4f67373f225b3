/** How many bytes an element of a tensor takes; block formats keep their scales in tensors of their own. */
import type { DType } from "../graph/node.ts";

export const bytesOf: Readonly<Record<DType, number>> = {
  f64: 8,
  f32: 4,
  bf16: 2,
  f16: 2,
  e4m3: 1,
  e5m2: 1,
  e2m1: 0.5,
  e8m0: 1,
  i64: 8,
  i32: 4,
  i8: 1,
  u8: 1,
  bool: 1,
};

/** Formats that hold a value only together with a scale: products of them are never stored. */
export const isQuantised = (t: DType): boolean => bytesOf[t] < 2;
