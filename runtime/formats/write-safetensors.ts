/**
 * Writes a safetensors file as a stream of chunks, laid out as the reference implementation lays it out
 * (huggingface/safetensors, `safetensors/src/tensor.rs`, `prepare`): tensors by falling alignment of their dtype, then by
 * name; the header padded with spaces to a multiple of 8 bytes, so that all data is aligned.
 */
import { compareAlignment, type DtypeName, findDtype } from "./dtypes.ts";
import { headerLengthBytes, longestHeader, sizeInBytes } from "./safetensors-header.ts";
import { WeightsError, type WeightsErrorCode } from "./weights-error.ts";

export interface TensorToWrite {
  readonly name: string;
  readonly dtype: DtypeName;
  readonly shape: readonly number[];
}

export interface SafetensorsLayout<T extends TensorToWrite> {
  /** Length, JSON and padding: all that comes before the data. */
  readonly header: Uint8Array;
  /** In the order in which their data follows the header, with its size in bytes. */
  readonly tensors: readonly { readonly tensor: T; readonly bytes: number }[];
  readonly fileSize: number;
}

export interface SafetensorsOptions {
  /** The file's name in errors. */
  readonly file?: string;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** What the file will look like. Errors: duplicate-name, bad-header (a name nobody can read), bad-shape, size-overflow, misaligned, header-too-large. */
export function layOutSafetensors<T extends TensorToWrite>(
  tensors: Iterable<T>,
  { file = "model.safetensors", metadata = new Map() }: SafetensorsOptions = {},
): SafetensorsLayout<T> {
  const fail = (code: WeightsErrorCode, message: string, tensor: string | null = null): never => {
    throw new WeightsError({ code, file, tensor, message });
  };
  const sorted = [...tensors].sort((a, b) => compareAlignment(b.dtype, a.dtype) || compareByCodePoint(a.name, b.name));
  const seen = new Set<string>();
  const members: string[] = [];
  if (metadata.size > 0) members.push(`"__metadata__":${metadataText(metadata, fail)}`);
  let offset = 0;
  const placed = sorted.map((tensor) => {
    const { name, dtype, shape } = tensor;
    if (seen.has(name)) fail("duplicate-name", "the name is given twice", name);
    seen.add(name);
    if (name === "__metadata__" || !isWellFormed(name)) fail("bad-header", "a tensor cannot have this name", name);
    if (shape.some((axis) => !Number.isSafeInteger(axis) || axis < 0))
      fail("bad-shape", `[${shape.join(", ")}] is no shape`, name);
    const bytes = sizeInBytes(shape, findDtype(dtype)?.bits ?? 0, (code, message) => fail(code, message, name));
    if (!Number.isSafeInteger(offset + bytes)) fail("size-overflow", "the file would have more than 2^53 bytes", name);
    members.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, offset + bytes] })}`);
    offset += bytes;
    return { tensor, bytes };
  });
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > longestHeader) fail("header-too-large", `the header would have ${padded} bytes`);
  const header = new Uint8Array(headerLengthBytes + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, headerLengthBytes);
  return { header, tensors: placed, fileSize: header.length + offset };
}

export interface TensorData extends TensorToWrite {
  /** Little-endian elements, row-major, in chunks of any size; called once, when their turn comes. */
  readonly data: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** The chunks of the file in order: the header, then what each tensor's `data` gives. Error besides the layout's: size-mismatch. */
export async function* writeSafetensors(
  tensors: Iterable<TensorData>,
  options: SafetensorsOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const layout = layOutSafetensors(tensors, options);
  yield layout.header;
  for (const { tensor, bytes } of layout.tensors) {
    let written = 0;
    const mismatch = (): WeightsError =>
      new WeightsError({
        code: "size-mismatch",
        file: options.file ?? "model.safetensors",
        tensor: tensor.name,
        message: `its data has ${written > bytes ? "more" : "less"} than the ${bytes} bytes of its shape`,
      });
    for await (const chunk of tensor.data()) {
      written += chunk.length;
      if (written > bytes) throw mismatch();
      yield chunk;
    }
    if (written !== bytes) throw mismatch();
  }
}

function metadataText(
  metadata: ReadonlyMap<string, string>,
  fail: (code: WeightsErrorCode, message: string) => never,
): string {
  const members = [...metadata].map(([key, value]) => {
    if (!isWellFormed(key) || !isWellFormed(value)) fail("bad-metadata", "metadata must be well-formed text");
    return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
  });
  return `{${members.join(",")}}`;
}

/** No half of a surrogate pair stands alone: only then does the text survive UTF-8. */
const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

/** The order of the UTF-8 bytes, which is the reference's; JavaScript's own order differs beyond U+FFFF. */
function compareByCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.codePointAt(i) ?? 0;
    const y = b.codePointAt(i) ?? 0;
    if (x !== y) return x - y;
  }
  return a.length - b.length;
}
