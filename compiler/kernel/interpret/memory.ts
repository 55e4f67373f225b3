/** Memory of a run, with what its checks remember. Indices count elements; values are the numbers that elements stand for. */
import { bf16, decodeFloat, encodeFloat, f16 } from "../../../runtime/formats/float-format.ts";
import { InternalError } from "../../graph/internal-error.ts";
import type { Elem } from "../elem.ts";
import { KernelFault } from "./fault.ts";
import { type Clock, ItemRaces, LaneRaces } from "./races.ts";

/** bool as Int32Array of 0 and 1, f16 and bf16 as codes in Uint16Array. */
export type Data = Float32Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array;
/** With that of i64. */
export type AnyData = Data | BigInt64Array;
const arrays = {
  bool: Int32Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  f32: Float32Array,
} as const satisfies Record<Exclude<Elem, "i64">, unknown>;
/** Of any elem but i64, whose values are no numbers. */
export function newData(elem: Elem, length: number): Data {
  if (elem === "i64") throw new InternalError("an i64 is no number");
  return new arrays[elem](length);
}
export const isDataOf = (elem: Elem, data: AnyData): boolean =>
  data instanceof (elem === "i64" ? BigInt64Array : arrays[elem]);

/** `T`: bigint of an i64. */
export interface Loads<T = number> {
  load(i: number, lane: number): T;
  /** As many as there is room for, from one on. */
  loadAll(from: number, lane: number, into: Row<T>): void;
}
interface Row<T> {
  readonly length: number;
  [i: number]: T;
}
export interface Stores<T = number> {
  store(i: number, value: T, lane: number): void;
}
/** Of a buffer in pieces: which element of all an element of a piece is. */
export type Pieces = (piece: number, i: number) => number;
export const piecesOf =
  (name: string, pieces: number, extent: number): Pieces =>
  (piece, i) => {
    const inside = piece >= 0 && piece < pieces && i >= 0 && i < extent;
    if (!inside) throw new KernelFault("range", `${name}[${piece}; ${i}] of ${pieces} pieces of ${extent}`);
    return piece * extent + i;
  };
/** Memories by name; those of i64 apart, whose values are no numbers. */
export interface Memories<M, W> {
  readonly numbers: ReadonlyMap<string, M>;
  readonly wide: ReadonlyMap<string, W>;
}

const tables = new Map<Elem, Float32Array>();
/** Values of all codes of a 16-bit format, made when first needed. */
function valuesOf(elem: "f16" | "bf16"): Float32Array {
  const known = tables.get(elem);
  if (known !== undefined) return known;
  const format = elem === "f16" ? f16 : bf16;
  const made = Float32Array.from({ length: 65_536 }, (_, code) => decodeFloat(format, code));
  tables.set(elem, made);
  return made;
}

const outside = (name: string, i: number, length: number): never => {
  throw new KernelFault("range", `${name}[${i}] of ${length}`);
};

/** Elements of a buffer as values, and values as elements. */
export interface Cells<T> {
  readonly get: (i: number) => T;
  readonly set: (i: number, value: T) => void;
}
const codec = (elem: Elem): typeof f16 | null => (elem === "f16" ? f16 : elem === "bf16" ? bf16 : null);
export function numbersIn(elem: Elem, data: AnyData): Cells<number> {
  if (data instanceof BigInt64Array) throw new InternalError("an i64 is no number");
  const format = codec(elem);
  const table = elem === "f16" || elem === "bf16" ? valuesOf(elem) : null;
  return {
    get: table === null ? (i) => data[i] ?? 0 : (i) => table[data[i] ?? 0] ?? 0,
    set:
      format === null
        ? (i, value) => {
            data[i] = value;
          }
        : (i, value) => {
            data[i] = encodeFloat(format, value);
          },
  };
}
export function wideIn(data: AnyData): Cells<bigint> {
  if (!(data instanceof BigInt64Array)) throw new InternalError("numbers are no i64");
  return {
    get: (i) => data[i] ?? 0n,
    set: (i, value) => {
      data[i] = value;
    },
  };
}

export class ReadBuffer<T> implements Loads<T> {
  readonly #name: string;
  readonly #get: Cells<T>["get"];
  readonly #length: number;
  constructor(name: string, { get }: Cells<T>, length: number) {
    this.#name = name;
    this.#get = get;
    this.#length = length;
  }
  load(i: number): T {
    if (!(i >= 0 && i < this.#length)) outside(this.#name, i, this.#length);
    return this.#get(i);
  }
  loadAll(from: number, _: number, into: Row<T>): void {
    for (let i = 0; i < into.length; i += 1) into[i] = this.load(from + i);
  }
}

export class WriteBuffer<T> implements Stores<T> {
  readonly #name: string;
  readonly #cells: Cells<T>;
  readonly #length: number;
  readonly #clock: Clock;
  /** 1 more than an item, 0 for none: nothing is written to memory that is never touched. */
  readonly #item: Int32Array;
  readonly #lane: Int32Array;
  readonly #epoch: Int32Array;
  constructor(name: string, cells: Cells<T>, length: number, clock: Clock) {
    this.#name = name;
    this.#cells = cells;
    this.#length = length;
    this.#clock = clock;
    this.#item = new Int32Array(length);
    this.#lane = new Int32Array(length);
    this.#epoch = new Int32Array(length);
  }
  store(i: number, value: T, lane: number): void {
    if (!(i >= 0 && i < this.#length)) outside(this.#name, i, this.#length);
    const { item, epoch } = this.#clock;
    const owner = (this.#item[i] ?? 0) - 1;
    if (owner !== -1 && owner !== item)
      throw new KernelFault("race", `items ${owner} and ${item} write ${this.#name}[${i}]`);
    if (owner === item && this.#epoch[i] === epoch && this.#lane[i] !== lane)
      throw new KernelFault("race", `lanes ${this.#lane[i]} and ${lane} write ${this.#name}[${i}]`);
    this.#item[i] = item + 1;
    this.#lane[i] = lane;
    this.#epoch[i] = epoch;
    this.#cells.set(i, value);
  }
}

/** Of access "both". */
export class UpdateBuffer<T> implements Loads<T>, Stores<T> {
  readonly #cells: Cells<T>;
  readonly #loads: ReadBuffer<T>;
  readonly #lanes: LaneRaces;
  readonly #items: ItemRaces;
  constructor(name: string, cells: Cells<T>, length: number, clock: Clock) {
    this.#cells = cells;
    this.#loads = new ReadBuffer(name, cells, length);
    this.#lanes = new LaneRaces(name, length, clock);
    this.#items = new ItemRaces(name, length, clock);
  }
  load(i: number, lane: number): T {
    const value = this.#loads.load(i); // checks the range
    this.#items.read(i);
    this.#lanes.read(i, lane);
    return value;
  }
  loadAll(from: number, lane: number, into: Row<T>): void {
    for (let i = 0; i < into.length; i += 1) into[i] = this.load(from + i, lane);
  }
  store(i: number, value: T, lane: number): void {
    this.#loads.load(i);
    this.#items.write(i);
    this.#lanes.write(i, lane);
    this.#cells.set(i, value);
  }
}

/** What lanes leave there, they may read after a barrier. */
export class SharedArray implements Loads, Stores {
  readonly #name: string;
  readonly #data: Float64Array;
  readonly #written: Uint8Array;
  readonly #races: LaneRaces;
  constructor(name: string, length: number, clock: Clock) {
    this.#name = name;
    this.#data = new Float64Array(length);
    this.#written = new Uint8Array(length);
    this.#races = new LaneRaces(name, length, clock);
  }
  /** A new item finds nothing in it. */
  reset(): void {
    this.#written.fill(0);
  }
  load(i: number, lane: number): number {
    if (!(i >= 0 && i < this.#data.length)) outside(this.#name, i, this.#data.length);
    if (this.#written[i] === 0) throw new KernelFault("unwritten", `${this.#name}[${i}] is read before it is written`);
    this.#races.read(i, lane);
    return this.#data[i] ?? 0;
  }
  loadAll(from: number, lane: number, into: Row<number>): void {
    for (let i = 0; i < into.length; i += 1) into[i] = this.load(from + i, lane);
  }
  store(i: number, value: number, lane: number): void {
    if (!(i >= 0 && i < this.#data.length)) outside(this.#name, i, this.#data.length);
    this.#races.write(i, lane);
    this.#written[i] = 1;
    this.#data[i] = value;
  }
}
