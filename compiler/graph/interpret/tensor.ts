/** Values of the interpreter: row-major, every dtype as f64 but i64, which is exact. */
import { InternalError } from "../internal-error.ts";
import type { DType } from "../node.ts";

export interface RealTensor {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}
/** A tensor of dtype i64. */
export interface WideTensor {
  readonly dims: readonly number[];
  readonly data: BigInt64Array;
}
export type Tensor = RealTensor | WideTensor;
export type TensorData = Float64Array | BigInt64Array;

export const countOf = (dims: readonly number[]): number => dims.reduce((a, d) => a * d, 1);
export const newData = (dtype: DType, count: number): TensorData =>
  dtype === "i64" ? new BigInt64Array(count) : new Float64Array(count);

/** How far apart neighbours along each axis lie. */
export function stridesOf(dims: readonly number[]): readonly number[] {
  const out = new Array<number>(dims.length).fill(1);
  for (let i = dims.length - 2; i >= 0; i -= 1) out[i] = (out[i + 1] ?? 1) * (dims[i + 1] ?? 1);
  return out;
}

/** The values as doubles; i64 beyond 2^53 are rounded. */
export const realsOf = (t: Tensor): Float64Array =>
  t.data instanceof Float64Array ? t.data : Float64Array.from(t.data, Number);

export const tensor = (dims: readonly number[], values: ArrayLike<number>): RealTensor => {
  if (values.length !== countOf(dims)) throw new InternalError(`${values.length} values for [${dims.join(", ")}]`);
  return { dims, data: Float64Array.from(values) };
};
export const wideTensor = (dims: readonly number[], values: Iterable<bigint>): WideTensor => ({
  dims,
  data: BigInt64Array.from(values),
});
