/**
 * A table of which rows are looked up: kept in memory as it is stored, or read from where the checkpoint is, a range for each
 * stretch of neighbours. Rows that were wanted lately are kept as numbers.
 */
import { CorruptPackageError } from "../../artifact/errors.ts";
import { programFile } from "../../artifact/read-value.ts";
import { findDtype } from "../../formats/dtypes.ts";
import type { TensorInfo, Weights } from "../../weights/weights.ts";
import type { PlayDecoder } from "../stored/decode-tensor.ts";
import type { StoredTensor } from "../stored/stored-format.ts";

/** In memory, or where the checkpoint is: a file, a server, a Blob. */
export type Residency = "memory" | "source";

/** A table as a checkpoint has it. */
export interface TableSource {
  readonly name: string;
  readonly rows: number;
  /** Elements of a row. */
  readonly width: number;
  readonly tensor: TensorInfo;
  /** Its format; null for plain numbers. */
  readonly stored: StoredTensor | null;
}

export interface TableOptions {
  readonly residency: Residency;
  /** Bytes of rows that are kept as numbers. */
  readonly cacheBytes: number;
  readonly decode: PlayDecoder;
}

export interface TableStatistics {
  /** Rows that were asked for, and those of them that had to be read. */
  readonly wanted: number;
  readonly read: number;
}

/** Bytes of one tensor of the table in one stretch of rows. */
type ReadRows = (tensor: string, start: number, end: number, signal: AbortSignal | undefined) => Promise<Uint8Array>;

/** Reads at one time. */
const atOnce = 16;

export class RowTable {
  readonly source: TableSource;
  readonly residency: Residency;
  readonly #decode: PlayDecoder;
  readonly #read: ReadRows;
  /** Rows as numbers, the one wanted longest ago first. */
  readonly #kept = new Map<number, Float32Array>();
  readonly #mostKept: number;
  #wanted = 0;
  #readCount = 0;

  private constructor(source: TableSource, { residency, cacheBytes, decode }: TableOptions, read: ReadRows) {
    this.source = source;
    this.residency = residency;
    this.#decode = decode;
    this.#read = read;
    this.#mostKept = Math.floor(cacheBytes / (4 * source.width));
  }

  /** Throws WeightsError and `signal.reason`. */
  static async open(
    source: TableSource,
    weights: Weights,
    options: TableOptions & { readonly signal: AbortSignal | undefined },
  ): Promise<RowTable> {
    if (options.residency === "source") {
      const read: ReadRows = (tensor, start, end, signal) =>
        weights.readBytes(tensor, { rows: { start, end }, signal, scattered: true });
      return new RowTable(source, options, read);
    }
    const held = new Map<string, Held>();
    for (const { name } of tensorsOf(source)) held.set(name, await hold(weights, name, source.rows, options));
    const read: ReadRows = async (tensor, start, end) => held.get(tensor)?.rows(start, end) ?? new Uint8Array(0);
    return new RowTable(source, options, read);
  }

  get statistics(): TableStatistics {
    return { wanted: this.#wanted, read: this.#readCount };
  }

  /** [numbers.length, width], one row a number. Throws CorruptPackageError for no row, WeightsError and `signal.reason`. */
  async rows(numbers: Int32Array, signal?: AbortSignal): Promise<Float32Array> {
    const { rows, width } = this.source;
    const wrong = numbers.find((n) => n < 0 || n >= rows);
    if (wrong !== undefined)
      throw new CorruptPackageError(programFile, `${this.source.name} has ${rows} rows, and no row ${wrong}`);
    const found = new Map<number, Float32Array>();
    const missing: number[] = [];
    for (const n of new Set(numbers)) {
      const kept = this.#kept.get(n);
      if (kept === undefined) missing.push(n);
      else found.set(n, kept);
    }
    this.#wanted += numbers.length;
    this.#readCount += missing.length;
    for (const [n, values] of await this.#fetched(missing, signal)) found.set(n, values);
    for (const [n, values] of found) this.#keep(n, values);
    const out = new Float32Array(numbers.length * width);
    for (const [i, n] of numbers.entries()) out.set(found.get(n) ?? new Float32Array(0), i * width);
    return out;
  }

  #keep(n: number, values: Float32Array): void {
    this.#kept.delete(n);
    if (this.#mostKept > 0) this.#kept.set(n, values);
    if (this.#kept.size <= this.#mostKept) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }

  async #fetched(
    missing: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<number, Float32Array>> {
    const sorted = [...missing].sort((a, b) => a - b);
    const stretches = stretchesOf(sorted);
    const tensors = tensorsOf(this.source);
    const bytes: Uint8Array[][] = stretches.map(() => []);
    const queue = stretches.entries();
    const worker = async (): Promise<void> => {
      for (const [i, { start, end }] of queue)
        bytes[i] = await Promise.all(tensors.map(({ name }) => this.#read(name, start, end, signal)));
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, stretches.length) }, worker));
    signal?.throwIfAborted();
    const parts = tensors.map((_, part) => joined(bytes.map((b) => b[part] ?? new Uint8Array(0))));
    const values = await this.#numbers(parts, sorted.length);
    const { width } = this.source;
    return new Map(sorted.map((n, i) => [n, values.slice(i * width, (i + 1) * width)] as const));
  }

  /** Of so many rows, from the bytes of each tensor of the table. */
  async #numbers(parts: readonly Uint8Array[], count: number): Promise<Float32Array> {
    const { stored, tensor, width } = this.source;
    const out = new Float32Array(count * width);
    if (stored === null) {
      findDtype(tensor.dtype)?.decode?.(parts[0] ?? new Uint8Array(0), out, 0);
      return out;
    }
    const band = stored.decoder.rows;
    for (let row = 0; row < count; row += band) {
      const rows = Math.min(band, count - row);
      const inputs = stored.parts.map((part, i) => {
        const values = new Float32Array(band * part.width);
        const rowBytes = (parts[i]?.length ?? 0) / count;
        const bytes = parts[i]?.subarray(row * rowBytes, (row + rows) * rowBytes) ?? new Uint8Array(0);
        findDtype(part.dtype)?.decode?.(bytes, values, 0);
        return values;
      });
      const decoded = await this.#decode(stored.decoder.phase, inputs);
      out.set(decoded.subarray(0, rows * width), row * width);
    }
    return out;
  }
}

const tensorsOf = ({ tensor, stored }: TableSource): readonly TensorInfo[] =>
  stored === null ? [tensor] : stored.parts.map((p) => p.tensor);

interface Stretch {
  readonly start: number;
  /** Excluded. */
  readonly end: number;
}
function stretchesOf(sorted: readonly number[]): readonly Stretch[] {
  const out: { start: number; end: number }[] = [];
  for (const n of sorted) {
    const last = out.at(-1);
    if (last?.end === n) last.end = n + 1;
    else out.push({ start: n, end: n + 1 });
  }
  return out;
}

/** A tensor in memory, in pieces, as it is stored. */
class Held {
  readonly #pieces: readonly Uint8Array[];
  readonly #rowBytes: number;
  constructor(pieces: readonly Uint8Array[], rowBytes: number) {
    this.#pieces = pieces;
    this.#rowBytes = rowBytes;
  }
  rows(start: number, end: number): Uint8Array {
    const out = new Uint8Array((end - start) * this.#rowBytes);
    const from = start * this.#rowBytes;
    let at = 0;
    for (const piece of this.#pieces) {
      const low = Math.max(0, from - at);
      const high = Math.min(piece.length, from + out.length - at);
      if (low < high) out.set(piece.subarray(low, high), at + low - from);
      at += piece.length;
      if (at >= from + out.length) break;
    }
    return out;
  }
}

async function hold(
  weights: Weights,
  name: string,
  rows: number,
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<Held> {
  const { bytes } = weights.tensor(name);
  const pieces: Uint8Array[] = [];
  let room = 0;
  let filled = 0;
  for await (const piece of weights.pieces(name, { signal })) {
    for (let at = 0; at < piece.length; ) {
      if (filled === room) {
        const total = pieces.reduce((n, p) => n + p.length, 0);
        room = Math.min(mostHeld, bytes - total);
        pieces.push(new Uint8Array(room));
        filled = 0;
      }
      const some = Math.min(room - filled, piece.length - at);
      pieces.at(-1)?.set(piece.subarray(at, at + some), filled);
      filled += some;
      at += some;
    }
  }
  return new Held(pieces, bytes / rows);
}
/** Of one piece: engines have a limit for an array. */
const mostHeld = 2 ** 30;

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only, ...others] = parts;
  if (only !== undefined && others.length === 0) return only;
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
