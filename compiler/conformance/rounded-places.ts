/** Tensors with the bounds of their errors, and the places of an expression in them. */
import { evalDim, type Sizes } from "../graph/dim.ts";
import type { Axis, Node } from "../graph/node.ts";
import type { Arithmetic, Rounded } from "./rounding.ts";

/** Row-major; `error` may be shorter than `data` where the rest is exact. */
export interface RoundedTensor {
  readonly dims: readonly number[];
  readonly data: Float64Array;
  readonly error: Float64Array;
  /** Of an i64: exactly what `data` has the nearest doubles of. */
  readonly wide?: BigInt64Array | undefined;
}
export interface Surroundings {
  readonly sizes: Sizes;
  readonly tensor: (n: Node) => RoundedTensor;
  /** Of the machine that is held to it. */
  readonly arithmetic: Arithmetic;
}
/** Lends its result until the next call. */
export type Evaluate = () => Rounded;
export type Names = ReadonlyMap<string, Rounded>;

/** Every point of the axes, the last one running fastest. */
export function points(axes: readonly Axis[], places: readonly Rounded[], sizes: Sizes, visit: () => void): void {
  const extents = axes.map((a) => evalDim(a.size, sizes));
  const go = (depth: number): void => {
    const place = places[depth];
    if (place === undefined) return visit();
    for (let i = 0; i < (extents[depth] ?? 0); i += 1) {
      place.value = i;
      go(depth + 1);
    }
  };
  go(0);
}

export const bound = (axes: readonly Axis[], names: Names): readonly [Names, readonly Rounded[]] => {
  const places = axes.map((): Rounded => ({ value: 0, error: 0 }));
  return [new Map([...names, ...axes.map((a, i) => [a.name, places[i] ?? { value: 0, error: 0 }] as const)]), places];
};
