/** A stored tensor through its decoder, a band of rows at a time: held are the bytes and the numbers of one band. */
import { findDtype } from "../../formats/dtypes.ts";
import type { Weights } from "../../weights/weights.ts";
import type { StoredPart, StoredTensor } from "./stored-format.ts";

/** Plays the phase of this name on its inputs and gives its result. */
export type PlayDecoder = (phase: string, inputs: readonly Float32Array[]) => Promise<Float32Array>;

export interface Band {
  /** Of the first of its elements in the tensor. */
  readonly from: number;
  readonly values: Float32Array;
  /** Bytes of the tensor that it was made of. */
  readonly bytes: number;
}

/** Bands from the first row on. Throws WeightsError and `signal.reason`. */
export async function* decodedBands(
  weights: Weights,
  { decoder, parts }: StoredTensor,
  play: PlayDecoder,
  signal: AbortSignal,
): AsyncGenerator<Band, void, undefined> {
  const beside = new Map<StoredPart, Float64Array>();
  for (const part of parts) if (!part.main) beside.set(part, await weights.read(part.tensor.name, { signal }));
  const main = parts.find((p) => p.main);
  if (main === undefined) throw new Error(`${decoder.phase} does not read the tensor itself`);
  const { bits } = findDtype(main.dtype) ?? { bits: 8 };
  const bandBytes = (main.band * main.width * bits) / 8;
  const collected = new Uint8Array(bandBytes);
  let filled = 0;
  let row = 0;
  const band = async (): Promise<Band> => {
    const rows = Math.min(main.band, main.rows - row);
    const inputs = parts.map((part) => {
      const values = new Float32Array(part.band * part.width);
      if (part.main) findDtype(part.dtype)?.decode?.(collected.subarray(0, filled), values, 0);
      else {
        const first = (row / decoder.rows) * part.band * part.width;
        values.set((beside.get(part) ?? new Float64Array(0)).subarray(first, first + values.length));
      }
      return values;
    });
    const made = {
      from: row * main.width,
      values: (await play(decoder.phase, inputs)).subarray(0, rows * main.width),
      bytes: filled,
    };
    row += rows;
    filled = 0;
    return made;
  };
  for await (const piece of weights.pieces(main.tensor.name, { signal })) {
    for (let at = 0; at < piece.length; ) {
      const some = Math.min(bandBytes - filled, piece.length - at);
      collected.set(piece.subarray(at, at + some), filled);
      filled += some;
      at += some;
      if (filled === bandBytes) yield await band();
    }
  }
  if (filled > 0) yield await band();
}
