/**
 * Invariant 10: each element has one writing item at most. The index is taken apart into digits, index = Σ digit·stride with
 * each lower part provably in 0..stride-1, so that the element determines the digits; and each grid axis g is found as
 * floor(digit / c), digit = c·g + rest with the rest provably in 0..c-1. All accesses of a buffer must agree on how: stores, and
 * the loads of one that is read and written.
 */
import { type Facts, withBounds } from "../../dsl/types/facts.ts";
import { add, constant, index as indexAtom, indexKey, mul, neg, type Poly, sub, zero } from "../../dsl/types/poly.ts";
import { type Monomial, polyOf, type Term } from "../../dsl/types/polynomial.ts";
import { isSurelyNonNegative } from "../../dsl/types/prove.ts";
import { constantPart, highPart, isConstant, lowFits, partsBy, partsByNumber, quotientIn, strides } from "./digits.ts";
import type { Kernel } from "./kernel.ts";
import { multipleOf } from "./multiples.ts";
import type { Problems } from "./problem.ts";
import type { Access } from "./symbolic.ts";

export function writerProblems(k: Kernel, accesses: readonly Access[], problems: Problems): void {
  const axes = k.grid.filter((g) => !(g.extent.kind === "const" && g.extent.value <= 1)).map((g) => g.name);
  for (const b of k.buffers) {
    const own = accesses.filter((a) => a.memory === b.name).map(asRow);
    if (!own.some((a) => a.kind === "store") || axes.length === 0) continue;
    const common = commonStrides(own);
    const wayOf = (a: Access, radices: readonly number[]): string | null =>
      itemOf(a, { axes, strides: common, radices });
    const agree = (radices: readonly number[]): boolean => {
      const [first, ...others] = own;
      const way = first === undefined ? null : wayOf(first, radices);
      return way !== null && others.every((a) => wayOf(a, radices) === way);
    };
    const isApart = (by: readonly number[]): boolean => agree(radicesOf(own, common, by));
    if (agree([]) || isApart(factors(own)) || isApart(differences(own))) continue;
    const ways = own.map((a) => wayOf(a, []));
    for (const [i, a] of own.entries()) {
      const what = a.kind === "store" ? "two items may write one element" : "another item may write the element";
      if (ways[i] === null) problems.report(10, `${a.kind} ${a.text}: ${what}`);
    }
    if (!ways.includes(null)) problems.report(10, `accesses of ${b.name} find their item in different ways`);
  }
}

/** A product of sizes, and a number: by both, an index is taken apart. */
interface Stride {
  readonly size: Monomial;
  readonly unit: number;
}
interface Way {
  readonly axes: readonly string[];
  readonly strides: readonly Stride[];
  /** By which the last digit is taken apart further, greatest first: halves of a row that one item writes both of. */
  readonly radices: readonly number[];
}

/** Of the candidates, greatest first, those by which the last digits of all accesses can be taken apart, one after the other. */
function radicesOf(
  accesses: readonly Access[],
  by: readonly Stride[],
  candidates: readonly number[],
): readonly number[] {
  let rests = accesses.map((a) => ({ a, rest: digitsOf(a, { strides: by, radices: [] })?.at(-1)?.digit ?? null }));
  const found: number[] = [];
  for (const radix of candidates) {
    const parts = rests.map(({ a, rest }) => ({ a, parts: rest === null ? null : partsByNumber(rest, radix, a) }));
    if (parts.some((x) => x.parts === null)) continue;
    found.push(radix);
    rests = parts.map((x) => ({ a: x.a, rest: x.parts?.low ?? null }));
  }
  return found;
}
/** Numbers that may be strides: how far apart accesses are, and what an axis is multiplied by. */
function differences(accesses: readonly Access[]): readonly number[] {
  const constants = accesses.map((a) => constantPart(a.index));
  return descending([...constants.flatMap((c) => constants.map((d) => c - d)), ...coefficients(accesses)]);
}
/** Fewer of them, where a tile has so many places that the small ones would be left out: those that all distances are made of. */
function factors(accesses: readonly Access[]): readonly number[] {
  const constants = accesses.map((a) => constantPart(a.index));
  const first = Math.min(...constants);
  const apart = basisOf(constants.map((c) => c - first));
  const ofAxes = accesses.flatMap((a) =>
    a.index.terms.filter((t) => !isConstant(t)).map((t) => Number(t.coefficient.num)),
  );
  return descending([...apart, ...ofAxes, ...accesses.flatMap(unmixed)]);
}
/** The least numbers of which all others are sums of multiples: 4 and 592 of 0, 4, 8, 592, 596, 600, … */
function basisOf(numbers: readonly number[]): readonly number[] {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const [basis, made]: [number[], Set<number>] = [[], new Set([0])];
  for (const n of sorted) {
    if (made.has(n)) continue;
    basis.push(n);
    for (const m of sorted) if (made.has(m - n)) made.add(m); // ascending: its multiples, too
  }
  return basis;
}
/** What floor(a / by) is multiplied by in c·floor(a / by) + d·(a mod by), which is kept as (c - d·by)·floor(a / by) + d·a. */
const unmixed = ({ index }: Access): readonly number[] =>
  index.terms.flatMap((t) => {
    const quotient = quotientIn(t);
    const [of, ...more] = quotient?.of.terms ?? [];
    const rest = more.length > 0 ? undefined : index.terms.find((x) => x.monomial.key === of?.monomial.key);
    return quotient === null || rest === undefined
      ? []
      : [Number(t.coefficient.num) + Number(rest.coefficient.num) * quotient.by];
  });
const coefficients = (accesses: readonly Access[]): readonly number[] =>
  accesses.flatMap((a) => a.index.terms.map((t) => Number(t.coefficient.num)));
const descending = (numbers: readonly number[]): readonly number[] =>
  [...new Set(numbers)]
    .filter((n) => n > 1)
    .sort((a, b) => b - a)
    .slice(0, mostRadices);
const mostRadices = 40;

/** The same for all accesses; the greatest, which leave the most room below. */
function commonStrides(accesses: readonly Access[]): readonly Stride[] {
  const indices = accesses.map((a) => a.index);
  return strides(indices).map((size) => {
    const unit = indices.reduce((common, p) => multipleOf(highPart(p, size), common), 0);
    return { size, unit: Math.max(1, unit) };
  });
}

/** How an element's index gives the item; null if it does not. */
function itemOf(a: Access, way: Way): string | null {
  const digits = digitsOf(a, way);
  return digits === null ? null : axesIn(digits, way.axes, a.facts);
}

/** A row of a matrix stands for all of them, by an index of its own. */
function asRow(a: Access): Access {
  const { matrix } = a;
  if (matrix === null) return a;
  const row = indexAtom("row of a matrix");
  const bounds = { lower: zero, upper: constant(matrix.rows - 1) };
  const facts = withBounds(a.facts, indexKey("row of a matrix"), bounds);
  return { ...a, index: add(a.index, mul(matrix.stride, row)), facts, matrix: null };
}

interface Digit {
  readonly digit: Poly;
  /** By which this digit may be larger for the last element of the access. */
  readonly spread: number;
  readonly stride: string;
}

function digitsOf(a: Access, { strides: by, radices }: Pick<Way, "strides" | "radices">): readonly Digit[] | null {
  const digits: Digit[] = [];
  let rest = a.index;
  for (const { size, unit } of by) {
    const parts = partsBy(rest, size, unit);
    if (parts === null || !lowFits(parts, a.width, a.facts)) return null;
    digits.push({ digit: parts.high, spread: 0, stride: parts.stride.key });
    rest = parts.low;
  }
  for (const radix of radices) {
    const parts = partsByNumber(rest, radix, a);
    if (parts === null) return null;
    digits.push({ digit: parts.high, spread: 0, stride: String(radix) });
    rest = parts.low;
  }
  return [...digits, { digit: rest, spread: a.width - 1, stride: "1" }];
}

function axesIn(digits: readonly Digit[], axes: readonly string[], facts: Facts): string | null {
  const ways: string[] = [];
  // A guard may leave item 0 alone; it is found like the others all the same, so that accesses without the guard agree.
  let zeros: readonly string[] | null = null;
  let left = digits;
  for (let missing = axes; missing.length > 0; ) {
    const known: readonly string[] = zeros ?? [];
    const found = missing.map((axis) => ({ axis, way: wayTo(axis, left, known, facts) })).filter((x) => x.way !== null);
    if (found.length === 0) {
      if (zeros === null) {
        zeros = axes.filter((axis) => isSurelyNonNegative(neg(indexAtom(axis)), facts));
        continue; // asked as late as this: it is seldom so, and a search that finds nothing takes longest
      }
      if (missing.some((axis) => !known.includes(axis))) return null;
      for (const axis of missing) ways.push(`${axis}: 0`);
      break;
    }
    for (const { axis, way } of found) ways.push(`${axis}: ${way}`);
    left = left.map((d) => ({ ...d, digit: found.reduce((p, x) => removed(p, x.axis), d.digit) }));
    missing = missing.filter((axis) => !found.some((x) => x.axis === axis));
  }
  return `${digits.map((d) => d.stride).join(" ")}; ${ways.sort().join(", ")}`;
}

const isLinear = (t: Term, axis: string): boolean =>
  t.monomial.key === indexKey(axis) && t.monomial.factors.length === 1;
const removed = (p: Poly, axis: string): Poly => polyOf(p.terms.filter((t) => !isLinear(t, axis)));

/** The digit and factor by which an axis is found. */
function wayTo(axis: string, digits: readonly Digit[], zeros: readonly string[], facts: Facts): string | null {
  for (const { digit, spread, stride } of digits) {
    const term = digit.terms.find((t) => isLinear(t, axis));
    if (term === undefined || term.coefficient.den !== 1 || term.coefficient.num <= 0) continue;
    const rest = [axis, ...zeros].reduce(removed, digit);
    const room = sub(sub(constant(term.coefficient.num), rest), constant(1 + spread));
    if (isSurelyNonNegative(rest, facts) && isSurelyNonNegative(room, facts))
      return `${stride} / ${term.coefficient.num}`;
  }
  return null;
}
