/** Values of tapped definitions over the calls of a session, those of consecutive calls joined where that can be done. */
import type { Observe } from "../driver/backend.ts";
import type { FamilyRun } from "../elaborate/context.ts";
import type { Elaborated } from "../elaborate/elaborate.ts";
import { pathOf } from "../elaborate/unit.ts";
import { nameOf } from "../graph/dim.ts";
import type { TensorData } from "../graph/interpret/tensor.ts";
import type { Node } from "../graph/node.ts";
import { isComputed } from "../graph/walk.ts";
import type { TapNames } from "./tap-names.ts";

export interface TapValue {
  /** Member of the family that the definition belongs to; null where it belongs to none, or is the same for all. */
  readonly layer: number | null;
  /** Position of the first token of the call. */
  readonly position: number;
  readonly dims: readonly number[];
  /** Row-major. */
  readonly values: TensorData;
}

export interface TapRecorder {
  readonly observe: Observe;
  /** By path, each in the order of layers, then of positions. */
  readonly taps: () => ReadonlyMap<string, readonly TapValue[]>;
}

interface Recorded {
  readonly path: string;
  readonly layer: number | null;
  /** The axis along which calls are joined; null where another axis changes from call to call. */
  readonly axis: number | null;
  readonly calls: Omit<TapValue, "layer">[];
}

/** `position`: tokens remembered before the call that is being run. */
export function newTapRecorder(
  names: TapNames,
  { graph, runs }: Elaborated,
  token: string,
  position: () => number,
): TapRecorder {
  const recorded = new Map<string, Recorded>();
  const fixed = new Set([...graph.sizes].flatMap(([name, { low, high }]) => (low === high ? [name] : [])));
  const changes = (key: string): boolean => [...graph.sizes.keys()].some((n) => !fixed.has(n) && key.includes(`$${n}`));
  const joinedAxis = ({ type }: Node): number | null => {
    const open = type.dims.flatMap((d, i) => (changes(d.key) ? [i] : []));
    const [axis] = open;
    const size = axis === undefined ? undefined : type.dims[axis];
    return axis !== undefined && open.length === 1 && size !== undefined && nameOf(size) === token ? axis : null;
  };
  return {
    observe: (node, iterations, value) => {
      const path = pathOf(node.name, runs);
      if (!isComputed(node) || !names.wants(path)) return;
      const layer = layerOf(node.name, iterations, runs);
      // A definition that several nodes compute, such as one in a `fn` that is called twice, has a value for each.
      const key = `${path} ${layer} ${node.id}`;
      const known = recorded.get(key) ?? { path, layer, axis: joinedAxis(node), calls: [] };
      recorded.set(key, known);
      known.calls.push({ position: position(), dims: value.dims, values: value.data.slice() });
    },
    taps: () => {
      const all = [...recorded.values()].sort((a, b) => (a.layer ?? -1) - (b.layer ?? -1));
      const taps = new Map<string, TapValue[]>();
      for (const path of new Set([...recorded.values()].map((r) => r.path))) taps.set(path, []);
      for (const { path, layer, axis, calls } of all) {
        taps.get(path)?.push(...(axis === null ? calls : joined(calls, axis)).map((call) => ({ layer, ...call })));
      }
      return taps;
    },
  };
}

function layerOf(label: string, iterations: readonly number[], runs: ReadonlyMap<string, FamilyRun>): number | null {
  for (const [own, { members }] of runs) {
    if (label !== own && !label.startsWith(`${own}.`)) continue;
    if (members.length === 1) return members[0] ?? null;
    const [iteration] = iterations;
    return iteration === undefined ? null : (members[iteration] ?? null);
  }
  return null;
}

function joined(calls: Recorded["calls"], axis: number): Recorded["calls"] {
  const [first] = calls;
  if (first === undefined || calls.length === 1) return calls;
  const outer = first.dims.slice(0, axis).reduce((a, d) => a * d, 1);
  const inner = first.dims.slice(axis + 1).reduce((a, d) => a * d, 1);
  const rows = calls.reduce((sum, { dims }) => sum + (dims[axis] ?? 0), 0);
  const dims = first.dims.map((d, i) => (i === axis ? rows : d));
  const real = first.values instanceof Float64Array;
  const values = real ? new Float64Array(outer * rows * inner) : new BigInt64Array(outer * rows * inner);
  let at = 0;
  for (const call of calls) {
    const length = (call.dims[axis] ?? 0) * inner;
    for (let o = 0; o < outer; o += 1) {
      const part = call.values.subarray(o * length, (o + 1) * length);
      const into = o * rows * inner + at;
      if (values instanceof Float64Array && part instanceof Float64Array) values.set(part, into);
      else if (values instanceof BigInt64Array && part instanceof BigInt64Array) values.set(part, into);
    }
    at += length;
  }
  return [{ position: first.position, dims, values }];
}
