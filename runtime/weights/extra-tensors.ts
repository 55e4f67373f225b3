/** Tensors that a checkpoint lacks and a model reads, in a file beside it. `dsc import` works them out and writes it. */
import { WeightsError } from "../formats/weights-error.ts";
import { closeAll, type Weights } from "./weights.ts";

export const extraFile = "extra.dsc.safetensors";

/** Both as one. Takes over both: on the error duplicate-tensor, of one that is in both, they are closed. */
export async function withExtra(weights: Weights, extra: Weights): Promise<Weights> {
  for (const [tensor, { file }] of extra.tensors) {
    const other = weights.tensors.get(tensor);
    if (other === undefined) continue;
    await closeAll([weights, extra]);
    const message = `it is in ${other.file} as well: what is beside a checkpoint adds to it`;
    throw new WeightsError({ code: "duplicate-tensor", file, tensor, message });
  }
  const home = (name: string): Weights => (extra.tensors.has(name) ? extra : weights);
  return {
    tensors: new Map([...weights.tensors, ...extra.tensors]),
    metadata: new Map([...weights.metadata, ...extra.metadata]),
    unlisted: weights.unlisted,
    statedSize: weights.statedSize,
    tensor: (name) => home(name).tensor(name),
    read: (name, options) => home(name).read(name, options),
    readInto: (name, destination, options) => home(name).readInto(name, destination, options),
    readBytes: (name, options) => home(name).readBytes(name, options),
    pieces: (name, options) => home(name).pieces(name, options),
    close: () => closeAll([weights, extra]),
  };
}
