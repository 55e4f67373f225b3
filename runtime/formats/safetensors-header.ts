/**
 * The header of a safetensors file:
 *
 *     8 bytes   length n of the header, unsigned, little-endian
 *     n bytes   UTF-8 JSON: { name: { dtype, shape, data_offsets: [begin, end] }, "__metadata__": { string: string } }
 *     the rest  the data; offsets count from its first byte, and the tensors cover it without gap or overlap
 *
 * Format and limits: huggingface/safetensors, README.md and `safetensors/src/tensor.rs`. Nothing of the header is believed
 * before it is checked, and nothing is allocated by its claims. Differences from the reference implementation (0.8), all on
 * the strict side: equal names of tensors and of metadata are refused (there the last one wins), the header must begin with
 * `{` (as the format says), shapes have at most 64 axes, numbers are at most 2^53 - 1, `__metadata__` may not be null.
 */
import { type Dtype, type DtypeName, findDtype } from "./dtypes.ts";
import { JsonCursor } from "./json-cursor.ts";
import { firstInvalidUtf8 } from "./utf8.ts";
import { quoted, WeightsError, type WeightsErrorCode } from "./weights-error.ts";

/** Bytes before the JSON. */
export const headerLengthBytes = 8;

/** The reference implementation's limit for the JSON. */
export const longestHeader = 100_000_000;

const mostAxes = 64;

export interface StoredTensor {
  readonly name: string;
  readonly dtype: DtypeName;
  /** Outermost axis first; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** First byte in the file, and the one behind the last. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** The first byte of data in the file. */
  readonly dataStart: number;
  readonly metadata: ReadonlyMap<string, string>;
  /** By name, in the order of the data. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

export interface FileFacts {
  /** Its name in errors. */
  readonly file: string;
  /** In bytes, as its source says. */
  readonly fileSize: number;
}

/** Length of the JSON, from the first 8 bytes of the file. Errors: file-too-small, header-too-large, header-past-end. */
export function readHeaderLength(prefix: Uint8Array, { file, fileSize }: FileFacts): number {
  if (fileSize < headerLengthBytes || prefix.length < headerLengthBytes)
    throw new WeightsError({
      code: "file-too-small",
      file,
      byte: Math.min(fileSize, prefix.length),
      message: "the file ends inside the 8 bytes that give the length of the header",
    });
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  const fault = (code: WeightsErrorCode, message: string): WeightsError =>
    new WeightsError({ code, file, byte: 0, message: `the header says it has ${length} bytes, ${message}` });
  if (length > BigInt(longestHeader))
    throw fault("header-too-large", `more than the ${longestHeader} of the format: is this a safetensors file?`);
  if (length > BigInt(fileSize - headerLengthBytes))
    throw fault("header-past-end", `but the file has ${fileSize - headerLengthBytes} after them: is it cut short?`);
  return Number(length);
}

/** The checked header, from its JSON alone. Throws a WeightsError with the tensor and byte of the first mistake. */
export function parseSafetensorsHeader(json: Uint8Array, facts: FileFacts): SafetensorsHeader {
  const { file, fileSize } = facts;
  const invalid = firstInvalidUtf8(json);
  if (invalid >= 0)
    throw new WeightsError({
      code: "bad-utf8",
      file,
      byte: headerLengthBytes + invalid,
      message: "the header is not valid UTF-8",
    });
  const cursor = new JsonCursor({ bytes: json, file, origin: headerLengthBytes });
  if (json[0] !== 0x7b) cursor.fail("bad-json", "the header must begin with {");
  const dataStart = headerLengthBytes + json.length;
  const place = { dataStart, dataSize: fileSize - dataStart };
  const found: { metadata: ReadonlyMap<string, string> | null } = { metadata: null };
  const tensors = new Map<string, StoredTensor>();
  cursor.object(
    (name, byte) => {
      if (name === "__metadata__") {
        if (found.metadata !== null) cursor.fail("duplicate-name", '"__metadata__" stands twice in the header', byte);
        found.metadata = readMetadata(cursor);
        return;
      }
      cursor.tensor = name;
      if (tensors.has(name)) cursor.fail("duplicate-name", "the name stands twice in the header", byte);
      tensors.set(name, readTensor(cursor, { name, byte, ...place }));
      cursor.tensor = null;
    },
    () => cursor.fail("bad-json", "the header must be a JSON object"),
  );
  cursor.end();
  return { dataStart, metadata: found.metadata ?? new Map(), tensors: inDataOrder(tensors, place, facts) };
}

function readMetadata(cursor: JsonCursor): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  cursor.object(
    (key, byte) => {
      if (metadata.has(key))
        cursor.fail("duplicate-name", `the key ${quoted(key)} stands twice in "__metadata__"`, byte);
      const valueByte = cursor.position();
      metadata.set(
        key,
        cursor.string(() =>
          cursor.fail(
            "bad-metadata",
            `"__metadata__" maps strings to strings; ${quoted(key)} has another value`,
            valueByte,
          ),
        ),
      );
    },
    () => cursor.fail("bad-metadata", '"__metadata__" must be an object of strings'),
  );
  return metadata;
}

interface EntryPlace {
  readonly name: string;
  /** Of the entry's name in the file. */
  readonly byte: number;
  readonly dataStart: number;
  readonly dataSize: number;
}

interface EntryFields {
  dtype: Dtype | null;
  shape: readonly number[] | null;
  shapeByte: number;
  offsets: readonly number[] | null;
  offsetsByte: number;
}

function readTensor(cursor: JsonCursor, { name, byte, dataStart, dataSize }: EntryPlace): StoredTensor {
  const { dtype, shape, shapeByte, offsets, offsetsByte } = readFields(cursor, byte);
  const missing = (field: string): never => cursor.fail("bad-header", `its entry has no ${field}`, byte);
  const { name: dtypeName, bits } = dtype ?? missing("dtype");
  const axes = shape ?? missing("shape");
  const [begin = 0, end = 0] = offsets ?? missing("data_offsets");
  const size = sizeInBytes(axes, bits, (code, message) => cursor.fail(code, message, shapeByte));
  const wrongOffsets = (code: WeightsErrorCode, message: string): never => cursor.fail(code, message, offsetsByte);
  if (begin > end) wrongOffsets("bad-offsets", `its data_offsets run backwards, from ${begin} to ${end}`);
  if (end > dataSize) wrongOffsets("past-end", `its data ends at ${end}, but the file has ${dataSize} bytes of data`);
  if (end - begin !== size) {
    const stated = `${dtypeName} [${axes.join(", ")}] takes ${size} bytes`;
    wrongOffsets("size-mismatch", `${stated}, but its data_offsets hold ${end - begin}`);
  }
  return { name, dtype: dtypeName, shape: axes, begin: dataStart + begin, end: dataStart + end };
}

function readFields(cursor: JsonCursor, byte: number): Readonly<EntryFields> {
  const found: EntryFields = { dtype: null, shape: null, shapeByte: byte, offsets: null, offsetsByte: byte };
  cursor.object(
    (field, fieldByte) => {
      const once = (earlier: unknown): void => {
        if (earlier !== null) cursor.fail("duplicate-name", `its field ${quoted(field)} stands twice`, fieldByte);
      };
      if (field === "dtype") {
        once(found.dtype);
        found.dtype = readDtype(cursor);
      } else if (field === "shape") {
        once(found.shape);
        found.shapeByte = cursor.position();
        found.shape = readShape(cursor);
      } else if (field === "data_offsets") {
        once(found.offsets);
        found.offsetsByte = cursor.position();
        found.offsets = readOffsets(cursor);
      } else cursor.skip();
    },
    () => cursor.fail("bad-header", "its entry must be an object with dtype, shape and data_offsets"),
  );
  return found;
}

function readDtype(cursor: JsonCursor): Dtype {
  const byte = cursor.position();
  const name = cursor.string(() => cursor.fail("bad-header", "its dtype must be a string", byte));
  return findDtype(name) ?? cursor.fail("unknown-dtype", `its dtype ${quoted(name)} is not known`, byte);
}

function readShape(cursor: JsonCursor): readonly number[] {
  const shape: number[] = [];
  const notCounts = (): never =>
    cursor.fail("bad-shape", "its shape must be an array of whole numbers from 0 to 2^53 - 1");
  cursor.array(() => {
    cursor.position();
    if (shape.length === mostAxes) cursor.fail("bad-shape", `its shape has more than ${mostAxes} axes`);
    shape.push(cursor.count(notCounts));
  }, notCounts);
  return shape;
}

function readOffsets(cursor: JsonCursor): readonly number[] {
  const offsets: number[] = [];
  const notTwo = (): never =>
    cursor.fail("bad-offsets", "its data_offsets must be two whole numbers from 0 to 2^53 - 1");
  cursor.array(() => {
    cursor.position();
    if (offsets.length === 2) notTwo();
    offsets.push(cursor.count(notTwo));
  }, notTwo);
  if (offsets.length !== 2) notTwo();
  return offsets;
}

/** Product of the axes times the width; `fail` is called where that overflows or is no whole number of bytes. */
export function sizeInBytes(
  shape: readonly number[],
  bits: number,
  fail: (code: "size-overflow" | "misaligned", message: string) => never,
): number {
  let elements = 1;
  // In order, like the reference: [2^53 - 1, 2^53 - 1, 0] overflows although its product is 0.
  for (const axis of shape) {
    elements *= axis;
    if (!Number.isSafeInteger(elements)) fail("size-overflow", `its shape [${shape.join(", ")}] has too many elements`);
  }
  const total = elements * bits;
  if (!Number.isSafeInteger(total)) fail("size-overflow", `its shape [${shape.join(", ")}] takes too many bytes`);
  if (total % 8 !== 0) fail("misaligned", `its ${elements} elements of ${bits} bits are no whole number of bytes`);
  return total / 8;
}

/** The tensors by where their data lies. Headers list them in any order; the data must still be covered exactly. */
function inDataOrder(
  tensors: ReadonlyMap<string, StoredTensor>,
  { dataStart, dataSize }: { readonly dataStart: number; readonly dataSize: number },
  { file, fileSize }: FileFacts,
): ReadonlyMap<string, StoredTensor> {
  const sorted = [...tensors.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let reached = dataStart;
  for (const { name, begin, end } of sorted) {
    const fault = { file, tensor: name, byte: begin };
    if (begin < reached)
      throw new WeightsError({ ...fault, code: "overlap", message: "its data overlaps the tensor before it" });
    if (begin > reached)
      throw new WeightsError({
        ...fault,
        code: "gap",
        message: `${begin - reached} bytes before its data belong to no tensor`,
      });
    reached = end;
  }
  if (reached !== fileSize)
    throw new WeightsError({
      code: "trailing-bytes",
      file,
      byte: reached,
      message: `the tensors take ${reached - dataStart} of the ${dataSize} bytes of data; the rest belongs to none`,
    });
  return new Map(sorted.map((tensor) => [tensor.name, tensor]));
}
