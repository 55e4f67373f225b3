/** A graph on a machine, call after call, beside the reference: results and remembered rows, and where they are too far apart. */
import { elemBytes } from "../../runtime/artifact/elems.ts";
import type { BufferElem } from "../../runtime/artifact/program.ts";
import { bf16, decodeFloat, encodeFloat, f16 } from "../../runtime/formats/float-format.ts";
import { evalDim, type Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import { leadingRanks } from "../graph/interpret/state-store.ts";
import { countOf } from "../graph/interpret/tensor.ts";
import type { Graph, Param, State } from "../graph/node.ts";
import { nodesOf } from "../graph/walk.ts";
import type { GraphProgram } from "./graph-program.ts";
import type { KernelMemory } from "./machine.ts";
import { playPhase } from "./play.ts";
import type { RoundedTensor } from "./rounded-places.ts";
import { copyRows, emptyLike, exact, runRounded } from "./rounded-run.ts";
import { isNear } from "./rounded-scalar.ts";
import { type Arithmetic, allowed, unknown } from "./rounding.ts";

/** An i64 may be a number where that is exact. */
export type Values = ArrayLike<number> | ArrayLike<bigint>;
/** Numbers as memory holds them. */
export function encode(elem: BufferElem, values: Values, into: DataView): void {
  for (let i = 0; i < values.length; i += 1) {
    const given = values[i] ?? 0;
    if (elem === "i64") {
      into.setBigInt64(8 * i, BigInt(given), true);
      continue;
    }
    const x = Number(given);
    if (elem === "f32") into.setFloat32(4 * i, x, true);
    else if (elem === "f16" || elem === "bf16")
      into.setUint16(2 * i, encodeFloat(elem === "f16" ? f16 : bf16, x), true);
    else if (elem === "i8") into.setInt8(i, x);
    else into.setInt32(4 * i, x, true);
  }
}
export function decode(elem: BufferElem, bytes: DataView): Float64Array | BigInt64Array {
  const size = elemBytes[elem];
  if (elem === "i64")
    return BigInt64Array.from({ length: bytes.byteLength / size }, (_, i) => bytes.getBigInt64(8 * i, true));
  return Float64Array.from({ length: bytes.byteLength / size }, (_, i) => {
    if (elem === "f32") return bytes.getFloat32(4 * i, true);
    if (elem === "f16" || elem === "bf16")
      return decodeFloat(elem === "f16" ? f16 : bf16, bytes.getUint16(2 * i, true));
    return elem === "i8" ? bytes.getInt8(i) : bytes.getInt32(4 * i, true);
  });
}
const viewOf = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.byteLength);
/** What is left of numbers once they are stored. */
function stored(elem: BufferElem, values: Values): Float64Array | BigInt64Array {
  const view = new DataView(new ArrayBuffer(values.length * elemBytes[elem]));
  encode(elem, values, view);
  return decode(elem, view);
}

export interface GraphRunOptions {
  /** What calls compute; the program may have been made from another form of it. */
  readonly reference: Graph;
  readonly program: GraphProgram;
  readonly memory: KernelMemory;
  readonly tokens: string;
  readonly before: string;
  /** Most rows that are remembered. */
  readonly rows: number;
  readonly given: (n: Param, sizes: Sizes) => Values;
  /** Of the machine; f32 as it is without it. */
  readonly arithmetic?: Arithmetic | undefined;
}

/** How far results of a call are from the reference. */
export interface Difference {
  /** The largest error as a share of what is allowed: more than 1 is wrong. */
  readonly share: number;
  /** Elements, and those of them about which rounding leaves nothing to say. */
  readonly elements: number;
  readonly unknown: number;
  /** The first that is wrong. */
  readonly wrong: string | null;
  /** That element as it is, as it should be, and how far it may be from it. */
  readonly worst: { readonly got: number; readonly want: number; readonly allowed: number } | null;
}

export class GraphRun {
  readonly #o: GraphRunOptions;
  readonly #ranks: ReadonlyMap<State, number>;
  readonly #states: readonly { readonly at: number; readonly rows: number }[];
  readonly #expected = new Map<string, RoundedTensor>();
  readonly #weights = new Map<string, { readonly at: number; readonly bytes: number }>();

  constructor(o: GraphRunOptions) {
    this.#o = o;
    this.#ranks = leadingRanks(o.reference);
    this.#states = o.program.states.map((s) => {
      const bytes = s.copies * o.rows * s.row * elemBytes[s.elem];
      const at = o.memory.reserve(bytes);
      o.memory.bytes().fill(0xff, at, at + bytes);
      return { at, rows: o.rows };
    });
  }

  /** Gives both sides the rows of earlier calls. */
  remember(state: State, dims: readonly number[], values: Values): void {
    const { program, memory, rows } = this.#o;
    const rank = this.#ranks.get(state) ?? 0;
    const i = program.states.findIndex((s) => s.name === state.name);
    const decl = program.states[i];
    const kept = stored(decl?.elem ?? "f32", values);
    this.#expected.set(state.name, exact(dims, kept));
    if (decl === undefined) return;
    const [length, size] = [countOf(dims.slice(rank)), elemBytes[decl.elem]];
    for (let copy = 0; copy < decl.copies; copy += 1) {
      const at = (this.#states[i]?.at ?? 0) + copy * rows * decl.row * size;
      const part = kept.subarray(copy * length, (copy + 1) * length);
      const view = new DataView(memory.bytes().buffer, at, length * size);
      encode(decl.elem, part, view);
    }
  }

  /** Forgets rows from `rows` on. */
  rollback(rows: number): void {
    for (const s of nodesOf(this.#o.reference)) {
      const known = s.kind === "state" ? this.#expected.get(s.name) : undefined;
      if (s.kind !== "state" || known === undefined) continue;
      const rank = this.#ranks.get(s) ?? 0;
      const [old, row] = [countOf(known.dims.slice(rank)), countOf(known.dims.slice(rank + 1))];
      const dims = known.dims.map((d, i) => (i === rank ? rows : d));
      const cut = emptyLike(known, dims);
      for (let copy = 0; copy < countOf(known.dims.slice(0, rank)); copy += 1)
        copyRows(known, copy * old, rows * row, cut, copy * rows * row);
      this.#expected.set(s.name, cut);
    }
  }

  /** One call: the difference of its results, and of rows that it has appended. */
  async call(sizes: Sizes): Promise<Difference> {
    const { reference, program, memory } = this.#o;
    const values = new Map<string, Float64Array | BigInt64Array>();
    const given = (n: Param): RoundedTensor => {
      const dims = n.type.dims.map((d) => evalDim(d, sizes));
      const id = `${n.kind}:${n.name}`;
      const known = values.get(id) ?? stored(program.elemOf(n), this.#o.given(n, sizes));
      values.set(id, known);
      if (known.length !== countOf(dims)) throw new InternalError(`%${n.name} is given ${known.length} values`);
      return exact(dims, known);
    };
    const want = runRounded(reference, { sizes, given, states: this.#expected, arithmetic: this.#o.arithmetic });
    const places = program.given.map((n) => this.#place(n, given(n)));
    const sum = new Sum();
    for (const [i, phase] of program.phases.entries()) {
      const bytes = await playPhase(phase, { program, memory, sizes, given: places, states: this.#states });
      const expected = want[i];
      const [output] = phase.outputs;
      if (expected === undefined || output === undefined) continue;
      sum.add(output.name, decode(output.elem, viewOf(bytes)), expected);
    }
    this.#compareStates(sum);
    return sum.difference();
  }

  #place(n: Param, { data, wide }: RoundedTensor): { readonly at: number; readonly bytes: number } {
    const known = n.kind === "weight" ? this.#weights.get(n.name) : undefined;
    if (known !== undefined) return known;
    const { memory, program } = this.#o;
    const elem = program.elemOf(n);
    const bytes = data.length * elemBytes[elem];
    const place = { at: memory.reserve(bytes), bytes };
    encode(elem, wide ?? data, new DataView(memory.bytes().buffer, place.at, bytes));
    if (n.kind === "weight") this.#weights.set(n.name, place);
    return place;
  }

  #compareStates(sum: Sum): void {
    const { program, memory, rows } = this.#o;
    for (const [i, s] of program.states.entries()) {
      const want = this.#expected.get(s.name);
      if (want === undefined) continue;
      const length = s.copies === 0 ? 0 : want.data.length / s.copies;
      const size = elemBytes[s.elem];
      for (let copy = 0; copy < s.copies; copy += 1) {
        const at = (this.#states[i]?.at ?? 0) + copy * rows * s.row * size;
        const got = decode(s.elem, new DataView(memory.bytes().buffer, at, length * size));
        const [from, to] = [copy * length, (copy + 1) * length];
        const cut = <A extends Float64Array | BigInt64Array>(x: A): A => x.subarray(from, to) as A;
        const { dims, data, error, wide } = want;
        const part = { dims, data: cut(data), error: cut(error), wide: wide === undefined ? wide : cut(wide) };
        sum.add(`state ${s.name}, copy ${copy}`, got, part);
      }
    }
  }
}

class Sum {
  #share = 0;
  #elements = 0;
  #unknown = 0;
  #wrong: string | null = null;
  #worst: Difference["worst"] = null;
  add(what: string, got: Float64Array | BigInt64Array, want: RoundedTensor): void {
    if (got.length !== want.data.length) throw new InternalError(`${what}: ${got.length} of ${want.data.length}`);
    for (const [i, given] of got.entries()) {
      const x = Number(given);
      const [y, error] = [want.data[i] ?? Number.NaN, want.error[i] ?? 0];
      this.#elements += 1;
      if (error === unknown) {
        this.#unknown += 1;
        continue;
      }
      // Two i64 may be one double.
      if (want.wide !== undefined && given !== want.wide[i])
        this.#wrong ??= `${what}[${i}] of [${want.dims.join(", ")}] is ${given}, not ${want.wide[i]}`;
      const most = allowed(error);
      const near = isNear(x, y, error);
      const off = Math.abs(x - y);
      const share =
        x === y || (Number.isNaN(x) && Number.isNaN(y)) ? 0 : near ? off / most : Math.max(off / most, 1.01);
      const counted = Number.isNaN(share) ? unknown : share;
      if (counted > this.#share) {
        this.#share = counted;
        this.#worst = { got: x, want: y, allowed: most };
      }
      if (!near) this.#wrong ??= `${what}[${i}] of [${want.dims.join(", ")}] is ${x}, not ${y} ± ${most}`;
    }
  }
  difference(): Difference {
    return {
      share: this.#share,
      elements: this.#elements,
      unknown: this.#unknown,
      wrong: this.#wrong,
      worst: this.#worst,
    };
  }
}
