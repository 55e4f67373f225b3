/** Weights as a program keeps them: what is lost by that is no fault of a kernel. */
import type { BufferElem, Program } from "../../../runtime/artifact/program.ts";
import { roundToBf16, roundToF16 } from "../../../runtime/formats/casts.ts";
import type { Tensor } from "../../graph/interpret/tensor.ts";

const roundings: Partial<Record<BufferElem, (x: number) => number>> = {
  f32: Math.fround,
  bf16: roundToBf16,
  f16: roundToF16,
};

/** By label. */
export function keptWeights(
  weights: ReadonlyMap<string, Tensor>,
  { weights: declared }: Pick<Program, "weights">,
): ReadonlyMap<string, Tensor> {
  const elems = new Map(declared.map(({ name, elem }) => [name, elem]));
  return new Map([...weights].map(([name, tensor]) => [name, kept(tensor, elems.get(name) ?? "f32")]));
}

function kept({ dims, data }: Tensor, elem: BufferElem): Tensor {
  const round = roundings[elem];
  if (data instanceof BigInt64Array) return { dims, data };
  return { dims, data: round === undefined ? data : data.map(round) };
}
