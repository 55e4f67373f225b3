/** Holds two graphs to the same results and the same remembered rows. */
import { expect } from "vitest";
import type { Sizes } from "../../compiler/graph/dim.ts";
import { type Prepared, prepare, realsOf, type Tensor } from "../../compiler/graph/interpret.ts";
import type { Graph } from "../../compiler/graph/node.ts";
import { print } from "../../compiler/graph/print.ts";
import { nodesOf } from "../../compiler/graph/walk.ts";
import type { RandomInputs } from "./random-graph.ts";

/**
 * How far two f64 results may lie apart that differ in the order of their additions: a sum of n terms is off by at most
 * n · 2^-53 of the sum of their absolute values; with n <= 10^3, values of order 1 and a hundredfold growth by what is
 * computed from them that is 1e-11 · (1 + |v|). Infinities and nan must be the same. "exact" takes -0 for 0,
 * "bits" does not.
 */
export type Closeness = "bits" | "exact" | { readonly relative: number };
export const reordered: Closeness = { relative: 1e-11 };

export function isClose(a: number, b: number, closeness: Closeness): boolean {
  if (closeness === "bits") return Object.is(a, b);
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  return closeness !== "exact" && Math.abs(a - b) <= closeness.relative * (1 + Math.abs(a));
}

export function expectSameTensor(a: Tensor, b: Tensor, closeness: Closeness, what: string): void {
  expect(b.dims, `${what}: shape`).toEqual(a.dims);
  const [x, y] = [realsOf(a), realsOf(b)];
  const at = x.findIndex((v, i) => !isClose(v, y[i] ?? Number.NaN, closeness));
  if (at >= 0) expect.fail(`${what}: element ${at} of [${a.dims.join(", ")}] is ${y[at]}, not ${x[at]}`);
}

export interface SameMeaningOptions {
  readonly sizes: readonly Sizes[];
  readonly params: (sizes: Sizes) => RandomInputs;
  /** `reordered` if not given. */
  readonly closeness?: Closeness;
  /** Pieces in which folds of b run; 1 if not given. */
  readonly chunks?: number;
}

/** Runs both graphs at all sizes; fails with both texts where they differ. */
export function expectSameMeaning(a: Graph, b: Graph, options: SameMeaningOptions): void {
  const [before, after] = [prepare(a), prepare(b)];
  for (const sizes of options.sizes) {
    const inputs = options.params(sizes);
    const run = (g: Prepared, chunks: number) => {
      const state = inputs.state();
      return { results: g.run({ sizes, param: inputs.param, state, chunks }), state };
    };
    const [x, y] = [run(before, 1), run(after, options.chunks ?? 1)];
    const closeness = options.closeness ?? reordered;
    const where = `sizes ${JSON.stringify(sizes)}\n${print(a)}\n${print(b)}`;
    expect(y.results.length, where).toBe(x.results.length);
    x.results.forEach((r, i) => {
      const other = y.results[i];
      if (other !== undefined) expectSameTensor(r, other, closeness, `result ${i}, ${where}`);
    });
    for (const n of nodesOf(a)) {
      if (n.kind !== "state") continue;
      const [r, s] = [x.state.read(n.name), y.state.read(n.name)];
      // Rows that one remembers and the other has lost are the difference that matters most.
      expect(s === null, `state %${n.name} is remembered, ${where}`).toBe(r === null);
      if (r !== null && s !== null) expectSameTensor(r, s, closeness, `state %${n.name}, ${where}`);
    }
  }
}
