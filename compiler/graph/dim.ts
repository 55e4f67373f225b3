/**
 * Sizes of the graph: the symbolic integers of `dsl/types`, evaluated and compared. A size is a number, a name
 * (`D`, `T`), or arithmetic of these (`S0 + T`, `ceil_div(O, 128)`).
 */
import { type Facts, noFacts, withBounds } from "../../dsl/types/facts.ts";
import {
  add,
  asNumber,
  asSymbol,
  constant,
  evaluate,
  mul,
  one,
  type Poly,
  sub,
  symbol,
  symbolKey,
  zero,
} from "../../dsl/types/poly.ts";
import { printPoly } from "../../dsl/types/print-poly.ts";
import { isNonNegative as provesNonNegative } from "../../dsl/types/prove.ts";

export type Dim = Poly;
export type DimLike = Dim | number | string;
/** Numbers for the names in sizes. */
export type Sizes = Readonly<Record<string, number>>;

export const dim = (d: DimLike): Dim => (typeof d === "number" ? constant(d) : typeof d === "string" ? symbol(d) : d);
export const addDim = (a: DimLike, b: DimLike): Dim => add(dim(a), dim(b));
export const subDim = (a: DimLike, b: DimLike): Dim => sub(dim(a), dim(b));
export const mulDim = (a: DimLike, b: DimLike): Dim => mul(dim(a), dim(b));
export const productOf = (dims: readonly DimLike[]): Dim => dims.reduce<Dim>((a, d) => mul(a, dim(d)), one);
export const constantOf = (d: Dim): number | null => asNumber(d);
export const nameOf = (d: Dim): string | null => asSymbol(d);
export const zeroDim: Dim = zero;
export const oneDim: Dim = one;
export const printDim = (d: Dim): string => printPoly(d);

const evaluated = new WeakMap<Sizes, Map<string, number>>();

/** The number that a size is; throws for a name without a number, or where it is no integer. */
export function evalDim(d: Dim, sizes: Sizes): number {
  const known = asNumber(d);
  if (known !== null) return known;
  let memo = evaluated.get(sizes);
  if (memo === undefined) {
    memo = new Map();
    evaluated.set(sizes, memo);
  }
  const cached = memo.get(d.key);
  if (cached !== undefined) return cached;
  const value = evaluate(d, (atom) => {
    if (atom.kind !== "symbol") return null;
    const size = sizes[atom.name];
    return size === undefined ? null : BigInt(size);
  });
  if (value === null) throw new Error(`no number for size ${printDim(d)}`);
  const number = Number(value);
  memo.set(d.key, number);
  return number;
}

/** Least value of each name; 1 where nothing is said. Rows remembered before a call may be none. */
export type LowerBounds = ReadonlyMap<string, number>;

const factsOf = new WeakMap<LowerBounds, Facts>();
function factsFor(lower: LowerBounds): Facts {
  const known = factsOf.get(lower);
  if (known !== undefined) return known;
  let facts: Facts = noFacts;
  for (const [name, least] of lower)
    facts = withBounds(facts, symbolKey(name), { lower: constant(least), upper: null });
  factsOf.set(lower, facts);
  return facts;
}

/** d >= 0 for all sizes: yes, no (d < 0 for all), or unknown. */
export const isNonNegative = (d: Dim, lower: LowerBounds): "yes" | "no" | "unknown" =>
  provesNonNegative(d, factsFor(lower));

export function compareDims(a: Dim, b: Dim, lower: LowerBounds): "equal" | "different" | "unknown" {
  if (a.key === b.key) return "equal";
  const apart = [subDim(subDim(a, b), 1), subDim(subDim(b, a), 1)].some((d) => isNonNegative(d, lower) === "yes");
  return apart ? "different" : "unknown";
}
