/** Runs verified kernels, item by item, every lane to the next place where lanes meet. */
import { InternalError } from "../../graph/internal-error.ts";
import { groupsOf, isStaged, itemsOf } from "../joined.ts";
import type { Branch, Buffer, Expr, Kernel, Part } from "../kernel.ts";
import { meaningOn } from "../ops.ts";
import { compileBody } from "./compile-stmt.ts";
import { type Fault, KernelFault } from "./fault.ts";
import { type Frame, FrameLayout } from "./frame.ts";
import { Matrices } from "./matrices.ts";
import type { Fma } from "./meaning.ts";
import {
  type AnyData,
  type Cells,
  isDataOf,
  type Loads,
  numbersIn,
  type Pieces,
  piecesOf,
  ReadBuffer,
  SharedArray,
  type Stores,
  UpdateBuffer,
  WriteBuffer,
  wideIn,
} from "./memory.ts";
import type { Clock } from "./races.ts";

export interface RunOptions {
  /** In which order lanes run between meetings; a right kernel gives the same in all. */
  readonly order?: "forward" | "reverse" | "shuffled";
  /** Lanes of a subgroup. */
  readonly subgroup?: number;
  readonly fma?: Fma;
  /** Which work items run; all without it. */
  readonly items?: readonly number[];
  /** Statements of loops that are run at most, by all lanes; behind them it is a fault. */
  readonly mostSteps?: number;
  /** Where loops of `bounded.ts` end at the latest. */
  readonly bound?: number;
  /** Behind so many no other item is begun, of a part where parts stand side by side; what is told that there was one. */
  readonly enough?: { readonly steps: number; readonly leftOut: () => void };
  /** Buffers may be shorter than the kernel says, as long as what runs stays inside of them. */
  readonly short?: boolean;
  /** By buffer: what sees each element of it that is read or written. */
  readonly touched?: (buffer: string) => Touched;
  /** Is told at each loop and condition that is met how often what stands in it is run. */
  readonly passed?: (s: Branch, turns: number) => void;
}
export type Touched = (index: number, how: "read" | "write") => void;
export interface Inputs {
  readonly sizes: Readonly<Record<string, number>>;
  /** By name; what the kernel writes is written into them. */
  readonly buffers: Readonly<Record<string, AnyData>>;
}

/** The first fault; null if there is none. */
export function interpret(k: Kernel, inputs: Inputs, options: RunOptions = {}): Fault | null {
  try {
    checkSizes(k, inputs.sizes);
    if (k.parts === undefined) new Run(k, inputs, options).items();
    else runParts(k, k.parts, inputs, options);
    return null;
  } catch (e) {
    if (!(e instanceof KernelFault)) throw e;
    return { ...e.fault, message: `${k.name}: ${e.fault.message}` };
  }
}

/** Stage after stage; of groups that are asked for, the items of a part that are theirs. */
function runParts(k: Kernel, parts: readonly Part[], inputs: Inputs, options: RunOptions): void {
  let before = 0;
  for (const p of [...parts].sort((a, b) => a.stage - b.stage)) {
    const buffers = p.kernel.buffers.map((b, i) => [b.name, inputs.buffers[p.buffers[i] ?? ""]] as const);
    const sizes = Object.fromEntries(
      p.kernel.sizes.map((s, i) => [s.name, inputs.sizes[p.sizes[i] ?? ""] ?? Number.NaN]),
    );
    const known = Object.fromEntries(buffers.flatMap(([n, data]) => (data === undefined ? [] : [[n, data]])));
    const own = new Map(p.kernel.buffers.map((b, i) => [b.name, p.buffers[i] ?? b.name]));
    const { touched, enough, items: groups, ...others } = options;
    const first = before;
    const count = evaluateExtent(itemsOf(p), inputs.sizes);
    before += evaluateExtent(groupsOf(k, p), inputs.sizes);
    const width = p.kernel.lanes > 1 ? 1 : k.lanes;
    const items = groups?.flatMap((g) => Array.from({ length: width }, (_, i) => (g - first) * width + i));
    const inside = items?.filter((i) => i >= 0 && i < count);
    new Run(
      p.kernel,
      { sizes, buffers: known },
      {
        ...others,
        ...(inside === undefined || isStaged(k) ? {} : { items: inside }),
        // What a stage leaves out the next one misses.
        ...(enough === undefined || isStaged(k) ? {} : { enough }),
        ...(touched === undefined ? {} : { touched: (b) => touched(own.get(b) ?? b) }),
      },
    ).items();
  }
}

/** The value of an expression over sizes: extents of grids and buffers. */
export function evaluateExtent(e: Expr, sizes: Readonly<Record<string, number>>): number {
  if (e.kind === "const") return e.value;
  if (e.kind === "name") return sizes[e.name] ?? Number.NaN;
  if (e.kind !== "op") throw new InternalError("an extent is over sizes only");
  const [a = 0, b = 0, c = 0] = e.args.map((x) => evaluateExtent(x, sizes));
  const meaning = meaningOn(e.op, "i32");
  if (meaning === undefined) throw new InternalError(`${e.op} in an extent`);
  return meaning(a, b, c);
}

/** Elements that a buffer has, in all of its pieces. */
export const elementsOf = ({ extent, pieces }: Buffer, sizes: Readonly<Record<string, number>>): number =>
  evaluateExtent(extent, sizes) * (pieces === undefined ? 1 : evaluateExtent(pieces, sizes));

function checkSizes(k: Kernel, sizes: Inputs["sizes"]): void {
  for (const s of k.sizes) {
    const value = sizes[s.name];
    if (value === undefined || (value | 0) !== value || value < s.minimum || value % s.multiple !== 0)
      throw new KernelFault(
        "input",
        `${s.name} is ${value}: it is at least ${s.minimum} and a multiple of ${s.multiple}`,
      );
  }
}

function putBuffer<T>(
  { b, length, clock }: { readonly b: Buffer; readonly length: number; readonly clock: Clock },
  cells: Cells<T>,
  loads: Map<string, Loads<T>>,
  stores: Map<string, Stores<T>>,
): void {
  if (b.access === "read") loads.set(b.name, new ReadBuffer(b.name, cells, length));
  else if (b.access === "write") stores.set(b.name, new WriteBuffer(b.name, cells, length, clock));
  else {
    const buffer = new UpdateBuffer(b.name, cells, length, clock);
    loads.set(b.name, buffer);
    stores.set(b.name, buffer);
  }
}

function watched<T>(cells: Cells<T>, touched: Touched | undefined): Cells<T> {
  if (touched === undefined) return cells;
  const { get, set } = cells;
  return {
    get: (i) => {
      touched(i, "read");
      return get(i);
    },
    set: (i, value) => {
      touched(i, "write");
      set(i, value);
    },
  };
}

class Run {
  readonly #k: Kernel;
  readonly #inputs: Inputs;
  readonly #options: RunOptions;
  readonly #clock = { epoch: 0, item: 0 };
  readonly #layout: FrameLayout;
  readonly #frames: readonly Frame[];
  readonly #shared: readonly SharedArray[];
  readonly #steps: { left: number };
  readonly #body: () => void;
  constructor(k: Kernel, inputs: Inputs, options: RunOptions) {
    this.#k = k;
    this.#inputs = inputs;
    this.#options = options;
    this.#layout = new FrameLayout(k);
    this.#frames = Array.from({ length: k.lanes }, (_, lane) => this.#layout.frame(lane));
    const loads = { numbers: new Map<string, Loads>(), wide: new Map<string, Loads<bigint>>() };
    const stores = { numbers: new Map<string, Stores>(), wide: new Map<string, Stores<bigint>>() };
    this.#shared = k.shared.map((s) => new SharedArray(s.name, s.size, this.#clock));
    for (const [i, s] of k.shared.entries()) {
      const array = this.#shared[i];
      if (array !== undefined) loads.numbers.set(s.name, array) && stores.numbers.set(s.name, array);
    }
    const pieces = new Map<string, Pieces>();
    for (const b of k.buffers) {
      const data = inputs.buffers[b.name];
      const length = elementsOf(b, inputs.sizes);
      if (b.pieces !== undefined) {
        const [count, extent] = [b.pieces, b.extent].map((e) => evaluateExtent(e, inputs.sizes));
        pieces.set(b.name, piecesOf(b.name, count ?? 0, extent ?? 0));
      }
      if (data === undefined || !isDataOf(b.elem, data) || (data.length < length && options.short !== true))
        throw new KernelFault("input", `buffer ${b.name} is to hold ${length} elements of ${b.elem}`);
      const place = { b, length: Math.min(length, data.length), clock: this.#clock };
      const seen = <T>(cells: Cells<T>): Cells<T> => watched(cells, options.touched?.(b.name));
      if (b.elem === "i64") putBuffer(place, seen(wideIn(data)), loads.wide, stores.wide);
      else putBuffer(place, seen(numbersIn(b.elem, data)), loads.numbers, stores.numbers);
    }
    const subgroup = options.subgroup ?? 32;
    const surroundings = { layout: this.#layout, loads, stores, pieces, fma: options.fma ?? "separate" };
    const steps = { left: options.mostSteps ?? Number.MAX_SAFE_INTEGER };
    this.#steps = steps;
    const { passed } = options;
    const rest = {
      frames: this.#frames,
      clock: this.#clock,
      subgroup,
      matrices: new Matrices(subgroup),
      steps,
      bound: options.bound ?? Number.POSITIVE_INFINITY,
      passed,
    };
    this.#body = compileBody(k.body, { ...surroundings, ...rest, inOrder: this.#order() });
    this.#setAll(Object.entries(inputs.sizes).filter(([n]) => k.sizes.some((s) => s.name === n)));
    for (const f of this.#frames) {
      const own = { lane: f.lane, subgroup_size: subgroup, subgroup_lane: f.lane % subgroup };
      this.#set(f, Object.entries({ ...own, subgroup_id: Math.floor(f.lane / subgroup) }));
    }
  }

  #set(f: Frame, values: Iterable<readonly [string, number]>): void {
    for (const [n, x] of values) f.values[this.#layout.offset(n)] = x;
  }
  #setAll(values: readonly (readonly [string, number])[]): void {
    for (const f of this.#frames) this.#set(f, values);
  }

  #order(): () => readonly Frame[] {
    const frames = this.#frames;
    const { order = "forward" } = this.#options;
    if (order === "forward" || frames.length === 1) return () => frames;
    const reverse = [...frames].reverse();
    if (order === "reverse") return () => reverse;
    const place = (f: Frame): number => (f.lane * 7919 + this.#clock.epoch * 31) % 101;
    return () => [...frames].sort((a, b) => place(a) - place(b));
  }

  items(): void {
    const extents = this.#k.grid.map((g) => Math.max(0, evaluateExtent(g.extent, this.#inputs.sizes)));
    const count = extents.reduce((a, b) => a * b, 1);
    const { items, enough } = this.#options;
    const before = this.#steps.left;
    for (const item of items ?? Array(count).keys()) {
      if (enough !== undefined && before - this.#steps.left >= enough.steps) {
        enough.leftOut();
        break;
      }
      this.#clock.item = item;
      this.#clock.epoch += 1;
      for (const s of this.#shared) s.reset();
      let rest = item;
      const at = this.#k.grid.map((g, i): readonly [string, number] => {
        const extent = extents[i] ?? 1;
        const here = rest % extent;
        rest = Math.floor(rest / extent);
        return [g.name, here];
      });
      this.#setAll(at);
      this.#body();
    }
  }
}
