/** Little-endian elements of a safetensors file. Every number is a value of its type, or rounded to one of eight bits. */
import type { DtypeName } from "./dtypes.ts";
import { encodeE8m0 } from "./e8m0.ts";
import { bf16, e4m3, encodeFloat } from "./float-format.ts";

/** Types that numbers are written in. */
export type StoredDtype = Extract<
  DtypeName,
  "F64" | "F32" | "BF16" | "F8_E4M3" | "F8_E8M0" | "I64" | "I32" | "I8" | "U8"
>;

const encoders: Readonly<Record<StoredDtype, { readonly bytes: number; readonly set: Encoder }>> = {
  F64: { bytes: 8, set: (view, at, value) => view.setFloat64(at, value, true) },
  F32: { bytes: 4, set: (view, at, value) => view.setFloat32(at, value, true) },
  BF16: { bytes: 2, set: (view, at, value) => view.setUint16(at, encodeFloat(bf16, value), true) },
  F8_E4M3: { bytes: 1, set: (view, at, value) => view.setUint8(at, encodeFloat(e4m3, value)) },
  F8_E8M0: { bytes: 1, set: (view, at, value) => view.setUint8(at, encodeE8m0(Math.abs(value))) },
  I64: { bytes: 8, set: (view, at, value) => view.setBigInt64(at, BigInt(value), true) },
  I32: { bytes: 4, set: (view, at, value) => view.setInt32(at, value, true) },
  I8: { bytes: 1, set: (view, at, value) => view.setInt8(at, value) },
  U8: { bytes: 1, set: (view, at, value) => view.setUint8(at, value) },
};

type Encoder = (view: DataView, at: number, value: number) => void;

export function encodeNumbers(values: Float64Array, dtype: StoredDtype): Uint8Array {
  const { bytes, set } = encoders[dtype];
  const view = new DataView(new ArrayBuffer(values.length * bytes));
  values.forEach((value, i) => {
    set(view, i * bytes, value);
  });
  return new Uint8Array(view.buffer);
}
