/** What calls leave behind: rows of each state, in buffers that grow, so that a call writes its rows and copies none. */
import { evalDim, type Sizes } from "../dim.ts";
import { InternalError } from "../internal-error.ts";
import type { Append, Graph, State } from "../node.ts";
import { nodesOf } from "../walk.ts";
import { countOf, newData, type Tensor, type TensorData } from "./tensor.ts";

/** A state with numbers for its sizes: [leading…, rows, row…]. */
export interface StateLayout {
  readonly leading: readonly number[];
  readonly rows: number;
  readonly row: readonly number[];
}
/** [leading…, capacity, row…], of which the first `rows` are remembered. */
export interface StateBuffer {
  readonly data: TensorData;
  readonly leading: readonly number[];
  readonly capacity: number;
  readonly row: readonly number[];
  readonly rows: number;
}

export class StateStore {
  readonly #buffers = new Map<string, StateBuffer>();

  /** Rows remembered of a state; 0 for one that no call has touched. */
  rows(name: string): number {
    return this.#buffers.get(name)?.rows ?? 0;
  }

  /** The buffer of a state, with room for `room` rows. Throws where the state holds other rows than the layout says. */
  open(state: State, layout: StateLayout, room: number): StateBuffer {
    const known = this.#buffers.get(state.name);
    if ((known?.rows ?? 0) !== layout.rows) {
      throw new InternalError(`state %${state.name} holds ${known?.rows ?? 0} rows, its size says ${layout.rows}`);
    }
    if (known !== undefined && !(sameDims(known.leading, layout.leading) && sameDims(known.row, layout.row))) {
      throw new InternalError(`state %${state.name} has rows of another shape`);
    }
    if (known !== undefined && known.capacity >= room) return known;
    const grown = grow(state, layout, Math.max(room, 2 * (known?.capacity ?? 0), 16), known);
    this.#buffers.set(state.name, grown);
    return grown;
  }

  /** Rows written behind the remembered ones are remembered from now on. */
  commit(name: string, rows: number): void {
    const known = this.#buffers.get(name);
    if (known === undefined || rows > known.capacity) throw new InternalError(`state %${name} has no ${rows} rows`);
    this.#buffers.set(name, { ...known, rows });
  }

  /** The remembered rows, [leading…, rows, row…]; null for a state that no call has touched. */
  read(name: string): Tensor | null {
    const known = this.#buffers.get(name);
    return known === undefined ? null : rememberedIn(known);
  }

  /** Gives a state its rows: [leading…, rows, row…]. */
  put(state: State, leadingRank: number, value: Tensor): void {
    const { dims } = value;
    const layout = {
      leading: dims.slice(0, leadingRank),
      rows: dims[leadingRank] ?? 0,
      row: dims.slice(leadingRank + 1),
    };
    const buffer: StateBuffer = { data: value.data.slice(), ...layout, capacity: layout.rows };
    this.#buffers.set(state.name, buffer);
  }

  /** Forgets the last n rows of every state. */
  rollback(n: number): void {
    for (const [name, b] of this.#buffers) {
      if (n > b.rows) throw new InternalError(`state %${name} has ${b.rows} rows, ${n} cannot be forgotten`);
      this.#buffers.set(name, { ...b, rows: b.rows - n });
    }
  }

  /** A store of its own with the same rows. */
  snapshot(): StateStore {
    const out = new StateStore();
    for (const [name, b] of this.#buffers) out.#buffers.set(name, { ...b, data: b.data.slice() });
    return out;
  }
}

/** Copies `count` runs of `length` values, `from` and `into` so far apart. */
function copyRuns(
  from: TensorData,
  into: TensorData,
  runs: { readonly count: number; readonly length: number; readonly from: number; readonly into: number },
): void {
  for (let i = 0; i < runs.count; i += 1) {
    const part = from.subarray(i * runs.from, i * runs.from + runs.length);
    if (into instanceof Float64Array && part instanceof Float64Array) into.set(part, i * runs.into);
    else if (into instanceof BigInt64Array && part instanceof BigInt64Array) into.set(part, i * runs.into);
  }
}

/** The rows without what lies between those of one leading index and those of the next. */
export function rememberedIn({ data, leading, capacity, rows, row }: StateBuffer): Tensor {
  const dims = [...leading, rows, ...row];
  const [length, apart] = [rows * countOf(row), capacity * countOf(row)];
  const runs = { count: countOf(leading), length, from: apart, into: length };
  if (data instanceof Float64Array) {
    const out = { dims, data: new Float64Array(countOf(dims)) };
    copyRuns(data, out.data, runs);
    return out;
  }
  const out = { dims, data: new BigInt64Array(countOf(dims)) };
  copyRuns(data, out.data, runs);
  return out;
}

const sameDims = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

function grow(state: State, layout: StateLayout, capacity: number, old: StateBuffer | undefined): StateBuffer {
  const count = countOf(layout.leading);
  const size = countOf(layout.row);
  const data = newData(state.type.dtype, count * capacity * size);
  if (old !== undefined) {
    copyRuns(old.data, data, { count, length: old.rows * size, from: old.capacity * size, into: capacity * size });
  }
  return { data, ...layout, capacity };
}

/** Number of leading axes of each state: that of its appends, or what stands before the first size that calls decide. */
export function leadingRanks(g: Graph): ReadonlyMap<State, number> {
  const out = new Map<State, number>();
  const nodes = nodesOf(g);
  for (const n of nodes) if (n.kind === "append") out.set(n.state, n.at.length);
  const decided = new Set([...g.sizes].flatMap(([name, r]) => (r.low === r.high ? [] : [`$${name}`])));
  for (const n of nodes) {
    if (n.kind !== "state" || out.has(n)) continue;
    const first = n.type.dims.findIndex((d) => [...decided].some((key) => d.key.includes(key)));
    out.set(n, Math.max(0, first));
  }
  return out;
}

export function layoutOf(state: State, leadingRank: number, sizes: Sizes): StateLayout {
  const dims = state.type.dims.map((d) => evalDim(d, sizes));
  return { leading: dims.slice(0, leadingRank), rows: dims[leadingRank] ?? 0, row: dims.slice(leadingRank + 1) };
}

/** Rows of each state once the call is over. */
export function roomFor(appends: readonly Append[], sizes: Sizes): ReadonlyMap<State, number> {
  const out = new Map<State, number>();
  for (const a of appends) {
    const [remembered] = a.type.dims;
    const rows = remembered === undefined ? 0 : evalDim(remembered, sizes);
    if ((out.get(a.state) ?? rows) !== rows)
      throw new InternalError(`state %${a.state.name} grows by different numbers of rows`);
    out.set(a.state, rows);
  }
  return out;
}
