/** The decoder of a storage format as the text says it, run by the interpreter: what encoders are held to. */
import type { Elaborated } from "../elaborate/elaborate.ts";
import { prepare } from "../graph/interpret/prepare.ts";
import { StateStore } from "../graph/interpret/state-store.ts";
import { realsOf, tensor } from "../graph/interpret/tensor.ts";
import { blockForm, type FormOptions } from "./block-form.ts";

export type TextDecoder = (codes: Float64Array, multipliers: Float64Array) => Float64Array;

/** For tensors of the shape that the format was elaborated for. Throws ElaborationError as `blockForm` does. */
export function textDecoder(format: Elaborated, options: FormOptions): TextDecoder {
  const { code, multiplier } = blockForm(format, options);
  const prepared = prepare(format.graph);
  return (codes, multipliers) => {
    const [made] = prepared.run({
      sizes: {},
      state: new StateStore(),
      param: ({ name }) =>
        format.weights.get(name)?.tensors[0]?.[0] === code.tensor
          ? tensor(code.shape, codes)
          : tensor(multiplier.shape, multipliers),
    });
    return made === undefined ? new Float64Array(0) : realsOf(made);
  };
}
