/** Streams tensors into a device: what is held beside is a piece of each that is being read. */
import { elemBytes } from "../artifact/elems.ts";
import { WeightValueError } from "../artifact/errors.ts";
import type { FillBytes, ModelDevice } from "../calls/model-device.ts";
import type { Weights } from "../weights/weights.ts";
import type { Placement } from "./match-weights.ts";
import type { PlayDecoder } from "./stored/decode-tensor.ts";
import type { Formats } from "./stored/formats.ts";
import type { WeightSamples } from "./weight-samples.ts";

export interface Progress {
  /** Bytes of the checkpoint, read and in all. */
  readonly loaded: number;
  readonly total: number;
}

export interface LoadTarget {
  readonly fillWeight: ModelDevice["fillWeight"];
  readonly decode: PlayDecoder;
  /** Is shown what is written. */
  readonly samples?: WeightSamples;
  /** For what is stored in a format. */
  readonly formats: Formats | null;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Tensors read at one time: enough to hide a disk's or a server's latency. */
const atOnce = 3;

/** Throws WeightValueError, WeightsError and `signal.reason`. */
export async function loadWeights(
  weights: Weights,
  placements: readonly Placement[],
  target: LoadTarget,
): Promise<void> {
  const { signal, onProgress } = target;
  const total = placements.reduce((n, p) => n + p.tensor.bytes, 0);
  let loaded = 0;
  const failed = new AbortController();
  const both = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const queue = placements[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const placement of queue) {
      if (failed.signal.aborted) return;
      await loadTensor(weights, placement, target, both, (bytes) => {
        loaded += bytes;
        onProgress?.({ loaded, total });
      });
    }
  };
  onProgress?.({ loaded, total });
  const results = await Promise.allSettled(
    Array.from({ length: atOnce }, () =>
      worker().catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  signal?.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  const rejected = results.find((r) => r.status === "rejected");
  if (rejected !== undefined) throw rejected.reason;
}

async function loadTensor(
  weights: Weights,
  placement: Placement,
  target: LoadTarget,
  signal: AbortSignal,
  done: (bytes: number) => void,
): Promise<void> {
  const { tensor, conversion, stored } = placement;
  let first = 0;
  if (stored !== null && target.formats !== null) {
    for await (const band of target.formats.bands(weights, stored, target.decode, signal)) {
      const bytes = new Uint8Array(band.values.buffer, band.values.byteOffset, band.values.byteLength);
      await place(bytes, band.from, placement, target);
      done(band.bytes);
    }
    return;
  }
  for await (const piece of weights.pieces(tensor.name, { signal })) {
    await place(piece, first, placement, target);
    first += (piece.length * 8) / conversion.bits;
    done(piece.length);
  }
}

/** Elements of a tensor, the first of which is its element `first`, to all places where they are to be. */
async function place(piece: Uint8Array, first: number, placement: Placement, target: LoadTarget): Promise<void> {
  const { weight, offset, elem, below, conversion } = placement;
  const size = elemBytes[elem];
  const storedBytes = (bytes: number): number => ((bytes / size) * conversion.bits) / 8;
  const elements = (piece.length * 8) / conversion.bits;
  const at = offset + first * size;
  const fill: FillBytes = (into, from) => {
    const part = piece.subarray(storedBytes(from), storedBytes(from + into.length));
    const bad = conversion.convert(part, into, below ?? Number.POSITIVE_INFINITY);
    if (bad >= 0) throw wrongValue(placement, first + from / size + bad);
    target.samples?.take(weight, at + from, into);
  };
  await target.fillWeight(weight, at, elements * size, fill);
}

function wrongValue({ tensor, elem, below }: Placement, index: number): WeightValueError {
  const bound = below === null ? `does not fit ${elem}` : `is not an integer in 0 … ${below - 1}`;
  return new WeightValueError(tensor.name, `element ${index} ${bound}`);
}
