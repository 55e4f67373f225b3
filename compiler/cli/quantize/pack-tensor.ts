/** A tensor as two: codes, and a multiplier for each block of them. It is read twice, a band of rows at a time. */
import { encodeNumbers } from "../../../runtime/formats/encode-numbers.ts";
import { WeightsError } from "../../../runtime/formats/weights-error.ts";
import type { TensorData } from "../../../runtime/formats/write-safetensors.ts";
import type { Weights } from "../../../runtime/weights/weights.ts";
import { type BlockGrid, blockGrid, encodeBand, multiplierFor, raiseLargest } from "../../quantize/encode-blocks.ts";
import type { WritableFormat } from "../../quantize/writable-format.ts";
import type { PackedTensor } from "./choose-tensors.ts";

export interface PackOptions {
  readonly source: Weights;
  readonly format: WritableFormat;
  /** Multipliers are powers of two. */
  readonly pow2: boolean;
  readonly signal: AbortSignal;
}

/** Elements that are held at a time, about. */
const bandElements = 2 ** 18;

export interface RowBand {
  readonly start: number;
  readonly end: number;
}

/** Bands of whole blocks. */
export function* bandsOf({ shape, form }: PackedTensor): Generator<RowBand, void, undefined> {
  const [rows = 1, ...inner] = shape;
  const width = inner.reduce((n, d) => n * d, 1);
  const block = form.shared.find((s) => s?.axis === 0)?.by ?? 1;
  const step = block * Math.max(1, Math.floor(bandElements / Math.max(1, block * width)));
  for (let start = 0; start < rows; start += step) yield { start, end: Math.min(rows, start + step) };
}

/** The shape of codes in files: those that share a byte count once. */
export const storedShape = (shape: readonly number[], perByte: number): readonly number[] =>
  shape.map((n, axis) => (axis === shape.length - 1 ? n / perByte : n));

/** The codes under the tensor's name, and the multipliers. */
export function packedData(tensor: PackedTensor, options: PackOptions): readonly TensorData[] {
  const { element, multiplier } = options.format;
  const { shape, form } = tensor;
  const grid = blockGrid(shape, form.multiplier.shape, form.shared);
  let made: Promise<Float64Array> | null = null;
  const multipliers = (): Promise<Float64Array> => {
    made ??= multipliersOf(tensor, grid, options);
    return made;
  };
  return [
    {
      name: tensor.name,
      dtype: element.dtype,
      shape: storedShape(shape, element.perByte),
      data: async function* () {
        const by = await multipliers();
        for await (const { start, values } of numbersOf(tensor, options))
          yield encodeBand(values, start, grid, by, element);
      },
    },
    {
      name: form.multiplier.tensor,
      dtype: multiplier.dtype,
      shape: form.multiplier.shape,
      data: async function* () {
        yield encodeNumbers(await multipliers(), multiplier.dtype);
      },
    },
  ];
}

async function* numbersOf(
  tensor: PackedTensor,
  { source, signal }: PackOptions,
): AsyncGenerator<RowBand & { readonly values: Float64Array }, void, undefined> {
  for (const rows of bandsOf(tensor)) yield { ...rows, values: await source.read(tensor.name, { rows, signal }) };
}

async function multipliersOf(tensor: PackedTensor, grid: BlockGrid, options: PackOptions): Promise<Float64Array> {
  const { element, multiplier } = options.format;
  const largest = new Float64Array(grid.count);
  for await (const { start, values } of numbersOf(tensor, options)) {
    const at = raiseLargest(largest, values, start, grid);
    if (at >= 0) throw notFinite(tensor, start, at, values, options.source);
  }
  return largest.map((most) => multiplierFor(most, element, multiplier, options));
}

function notFinite(
  { name, shape }: PackedTensor,
  start: number,
  at: number,
  values: Float64Array,
  source: Weights,
): WeightsError {
  const place = [];
  let rest = at;
  for (const size of shape.slice(1).reverse()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  const value = values[at] ?? Number.NaN;
  const what = Number.isFinite(value) ? `${value}, beyond f32` : String(value);
  return new WeightsError({
    code: "not-finite",
    file: source.tensor(name).file,
    tensor: name,
    message: `element [${[start + rest, ...place].join(", ")}] is ${what}: no multiplier takes it to a code`,
  });
}
