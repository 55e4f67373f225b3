/** What random nodes are made with: a seed, sizes, fresh names, and what there is to read. */
import { Builder } from "../../../compiler/graph/builder.ts";
import { addDim, type Dim, dim, mulDim } from "../../../compiler/graph/dim.ts";
import type { Append, Axis, Node, Scalar, SizeRange, State } from "../../../compiler/graph/node.ts";
import { axis, call, dimValue, name, num, read } from "../../../compiler/graph/scalar.ts";
import { type Random, seeded } from "../../fuzz/random.ts";

export const S0 = dim("S0");
export const T = dim("T");
export const S = addDim(S0, T);
export const sub = (a: Scalar, b: Scalar): Scalar => call("sub", a, b);
export const idx = (axes: readonly Axis[]): readonly Scalar[] => axes.map((a) => name(a.name));
export const sameDims = (a: readonly Dim[], b: readonly Dim[]): boolean =>
  a.length === b.length && a.every((d, i) => d.key === b[i]?.key);
const isReal = (n: Node): boolean => n.type.dtype === "f32";

/** Where new nodes may be read from: what is outside, and inside of a repeat its body too. */
export interface Scope {
  readonly pool: Node[];
  readonly effects: Append[];
  /** The index of the repeat around, and how often it runs. */
  readonly layer: { readonly index: Scalar; readonly count: number } | null;
}

/** Names, sizes and things to read for one random graph: what its nodes are made with. */
export class Maker {
  readonly seed: number;
  readonly r: Random;
  readonly b = new Builder();
  /** Whether folds occur. */
  readonly folds: boolean;
  /** Upper bounds of the values of integer inputs. */
  readonly limits = new Map<string, Dim>();
  readonly sizes = new Map<string, SizeRange>();
  readonly states: { readonly state: State; readonly leading: number }[] = [];
  #names = 0;
  #axes = 0;

  constructor(seed: number, folds: boolean, large: boolean) {
    this.seed = seed;
    this.r = seeded(seed);
    this.folds = folds;
    this.sizes.set("S0", { low: 0, high: large ? 50 : 12 });
    this.sizes.set("T", { low: 1, high: large ? 40 : 8 });
    for (const [n, most, some] of [
      ["D", 5, [4, 7, 8, 12, 16, 20, 33]],
      ["E", 4, [2, 4, 8, 9]],
      ["H", 3, [1, 2, 4]],
    ] as const) {
      const value = large ? this.r.pick<number>(some) : 1 + this.r.below(most);
      this.sizes.set(n, { low: value, high: value });
    }
  }

  label(base: string): string {
    this.#names += 1;
    return this.r.below(4) === 0 ? `blk.${base}` : `${base}${this.#names}`;
  }

  /** Inputs and weights: told apart by their names. */
  leaf(base: string): string {
    this.#names += 1;
    return `${base}${this.#names}`;
  }

  axis(base: string, size: Dim | number): Axis {
    this.#axes += 1;
    return axis(this.r.below(2) === 0 ? `${base}${this.#axes}` : `${base}_${this.#axes}`, size);
  }

  config(): Dim {
    return this.r.pick([dim("D"), dim("E"), dim("H"), dim(1), dim(2), dim(3), dim(4), mulDim(2, "H")]);
  }

  over(n: Node): readonly Axis[] {
    return n.type.dims.map((d) => this.axis(this.r.pick(["t", "d", "i"]), d));
  }

  find(scope: Scope, test: (n: Node) => boolean): Node | null {
    const found = scope.pool.filter((n) => isReal(n) && test(n));
    return found.length === 0 ? null : this.r.pick(found.slice(-8));
  }

  /** Some matrix with rows of this size. */
  rows(scope: Scope, size: Dim): Node | null {
    return this.find(scope, (n) => n.type.dims.length === 2 && n.type.dims[0]?.key === size.key);
  }

  any(scope: Scope, least = 1): Node {
    return (
      this.find(scope, (n) => n.type.dims.length >= least && n.type.dims.length <= 3) ?? this.b.input("x", [T, "D"])
    );
  }

  weight(dims: readonly (Dim | number)[]): Node {
    return this.b.weight(this.leaf("w"), dims);
  }

  /** Reads `n` at a point of `domain`: by an axis of the same size where there is one, else at 0 or folded into range. */
  readAt(n: Node, domain: readonly Axis[]): Scalar {
    const at = n.type.dims.map((size): Scalar => {
      const same = domain.filter((a) => a.size.key === size.key);
      if (same.length > 0) {
        const i = name(this.r.pick(same).name);
        return this.r.below(6) === 0 ? sub(sub(dimValue(size), num(1)), i) : i;
      }
      if (domain.length === 0 || this.r.below(2) === 0) return num(0);
      return call("mod", name(this.r.pick(domain).name), dimValue(size));
    });
    return read(n, at);
  }
}
