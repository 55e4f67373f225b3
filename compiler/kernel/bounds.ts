/** Invariant 9: 0 <= index and index + width <= extent, and 0 <= piece < pieces, by proof. */
import { add, constant, mul, one, type Poly, printPoly, scale, sub } from "../../dsl/types/poly.ts";
import { type Monomial, monomialPoly, powMonomial } from "../../dsl/types/polynomial.ts";
import { isNonNegative, isSurelyNonNegative } from "../../dsl/types/prove.ts";
import { highPart, lowFits, partsBy, partsByNumber, strides } from "./digits.ts";
import { multipleOf } from "./multiples.ts";
import type { Problems } from "./problem.ts";
import type { Access } from "./symbolic.ts";

export function boundsProblems(accesses: readonly Access[], problems: Problems): void {
  for (const a of accesses) {
    const report = (what: string, of = say(a)): void => problems.report(9, `${a.kind} ${a.text}: ${what}; ${of}`);
    if (a.piece !== null) {
      const of = `piece ${printPoly(a.piece.index)} of ${printPoly(a.piece.count)}`;
      const room = sub(sub(a.piece.count, a.piece.index), one);
      if (!isSurelyNonNegative(a.piece.index, a.facts)) report("its piece may be below 0", of);
      if (!isSurelyNonNegative(room, a.facts)) report("its piece may be past the last", of);
    }
    if (a.matrix === null && insideByParts(a)) continue;
    const lowest = isNonNegative(a.index, a.facts);
    if (lowest !== "yes") report(lowest === "no" ? "is below 0" : "may be below 0");
    if (a.matrix !== null && !isSurelyNonNegative(a.matrix.stride, a.facts)) report("its stride may be below 0");
    const highest = isNonNegative(sub(a.extent, pastEnd(a)), a.facts);
    if (highest !== "yes" && !insideByNumber(a)) report(highest === "no" ? "is past the end" : "may be past the end");
  }
}

/** The first element after the access. */
function pastEnd(a: Access): Poly {
  const start = a.matrix === null ? a.index : add(a.index, mul(a.matrix.stride, constant(a.matrix.rows - 1)));
  return add(start, constant(a.width));
}

/**
 * Row and column by themselves: high·stride + low of count·stride, 0 <= high < count, low within the stride. Linear, where
 * the whole is a product of sizes that a search may not take apart.
 */
function insideByParts(a: Access): boolean {
  const [size] = strides([a.index]);
  if (size === undefined) return false;
  const unit = multipleOf(a.extent, multipleOf(highPart(a.index, size)));
  const parts = unit === 0 ? null : partsBy(a.index, size, unit);
  const count = unit === 0 ? null : partsOfExtent(a.extent, size, unit);
  if (parts === null || count === null || !lowFits(parts, a.width, a.facts)) return false;
  const room = sub(sub(count, parts.high), one);
  return isSurelyNonNegative(parts.high, a.facts) && isSurelyNonNegative(room, a.facts);
}

/** The same with a number for a stride: that many elements of a row. */
function insideByNumber(a: Access): boolean {
  const row = multipleOf(a.extent);
  const parts = row <= 1 || a.matrix !== null ? null : partsByNumber(a.index, row, a);
  return parts !== null && isSurelyNonNegative(sub(sub(scale(a.extent, 1, row), parts.high), one), a.facts);
}

/** extent / (size · unit), where that is no quotient. */
function partsOfExtent(extent: Poly, size: Monomial, unit: number): Poly | null {
  const count = mul(extent, inverse(size, unit));
  return count.terms.every((t) => t.coefficient.den === 1 && t.monomial.factors.every((f) => f.exponent > 0))
    ? count
    : null;
}
const inverse = (size: Monomial, unit: number): Poly => scale(monomialPoly(powMonomial(size, -1)), 1, unit);
const say = (a: Access): string => `${printPoly(a.index)} of ${printPoly(a.extent)}`;
