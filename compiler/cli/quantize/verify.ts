/** What was written, decoded as the text says and held against what it was made of. */
import { findDtype } from "../../../runtime/formats/dtypes.ts";
import type { Weights } from "../../../runtime/weights/weights.ts";
import { blockGrid } from "../../quantize/encode-blocks.ts";
import type { WritableFormat } from "../../quantize/writable-format.ts";
import type { PackedTensor } from "./choose-tensors.ts";
import { bandsOf, type RowBand } from "./pack-tensor.ts";

export interface PackingError {
  /** The largest difference, as a share of the tensor's largest magnitude. */
  readonly largest: number;
  /** The sum of all differences, as a share of the sum of all magnitudes. */
  readonly mean: number;
}

/** The text's decoder gives something else than the nearest number that the format has. */
export class UnfaithfulError extends Error {
  override readonly name = "UnfaithfulError";
  constructor(tensor: string, place: string, given: number, decoded: number) {
    super(`${tensor}: element ${place} is ${given}, and by the text's storage block ${decoded}: this is no rounding`);
  }
}

export interface Written {
  readonly source: Weights;
  readonly written: Weights;
  readonly format: WritableFormat;
  readonly signal: AbortSignal;
}

/** Of itself, that a quotient of f32 is off: beside the middle of two codes it may be rounded to the other one. */
const quotient = 2 ** -23;

/** Throws UnfaithfulError. */
export async function packingError(tensor: PackedTensor, options: Written): Promise<PackingError> {
  const { source, written, format, signal } = options;
  const { name, shape, form } = tensor;
  const { share, least } = format.element.error;
  const grid = blockGrid(shape, form.multiplier.shape, form.shared);
  const multipliers = await written.read(form.multiplier.tensor, { signal });
  let [most, mostApart, sum, sumApart] = [0, 0, 0, 0];
  for (const rows of bandsOf(tensor)) {
    const given = await source.read(name, { rows, signal });
    const decode = format.decoderOf([rows.end - rows.start, ...shape.slice(1)]);
    const decoded = decode(await codesOf(written, name, rows, format), besideRows(multipliers, tensor, rows));
    for (let i = 0; i < given.length; i += 1) {
      const x = Math.fround(given[i] ?? 0);
      const apart = Math.abs((decoded[i] ?? Number.NaN) - x);
      const row = rows.start + Math.floor(i / grid.within.length);
      const by = multipliers[grid.ofRow(row) + (grid.within[i % grid.within.length] ?? 0)] ?? 0;
      if (!(apart <= Math.max(share * Math.abs(x), least * by) + quotient * Math.abs(x)))
        throw new UnfaithfulError(name, `${row}, ${i % grid.within.length}`, x, decoded[i] ?? Number.NaN);
      most = Math.max(most, Math.abs(x));
      mostApart = Math.max(mostApart, apart);
      sum += Math.abs(x);
      sumApart += apart;
    }
  }
  return { largest: most === 0 ? 0 : mostApart / most, mean: sum === 0 ? 0 : sumApart / sum };
}

async function codesOf(
  written: Weights,
  name: string,
  rows: RowBand,
  { element }: WritableFormat,
): Promise<Float64Array> {
  if (element.perByte === 1) return written.read(name, { rows });
  const bytes = await written.readBytes(name, { rows });
  const codes = new Float64Array(2 * bytes.length);
  findDtype("F4")?.decode?.(bytes, codes, 0);
  return codes;
}

/** The multipliers of a band's blocks. */
function besideRows(multipliers: Float64Array, { form }: PackedTensor, { start, end }: RowBand): Float64Array {
  const [first] = form.shared;
  if (first?.axis !== 0) return multipliers;
  const width = form.multiplier.shape.slice(1).reduce((n, d) => n * d, 1);
  return multipliers.subarray((start / first.by) * width, Math.ceil(end / first.by) * width);
}
