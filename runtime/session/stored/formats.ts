/** What reads tensors in a format of the text: loaded where a program has decoders. */
import type { Weights } from "../../weights/weights.ts";
import { type Band, decodedBands, type PlayDecoder } from "./decode-tensor.ts";
import { type StoredTensor, storedTensor } from "./stored-format.ts";

export interface Formats {
  readonly find: typeof storedTensor;
  readonly bands: (
    weights: Weights,
    stored: StoredTensor,
    play: PlayDecoder,
    signal: AbortSignal,
  ) => AsyncGenerator<Band, void, undefined>;
}
export const formats: Formats = { find: storedTensor, bands: decodedBands };
