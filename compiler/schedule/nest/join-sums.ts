/**
 * Σ_k a·Σ_f b as Σ_kf a·b, where lanes share a sum: the longest of its axes is what they share, and vectors lie along. Not where the inner
 * sum is that of several outputs: it would be theirs no longer. One product more for each element, which waits for memory.
 */
import { isIntegral } from "../../graph/integral.ts";
import { isWide } from "../../graph/interpret/wide.ts";
import type { Reduce, Scalar } from "../../graph/node.ts";
import { factors, productFrom } from "../../graph/product.ts";
import { bottomUp, call, freeNames } from "../../graph/scalar.ts";
import type { Nest } from "./nest.ts";

export function joinedSums(nest: Nest): Nest {
  const outputs = new Set(nest.axes.map((a) => a.name));
  return { ...nest, body: bottomUp(nest.body, (e) => (isSum(e) ? joinedSum(e, outputs) : e)) };
}

const isSum = (e: Scalar): e is Reduce => e.kind === "reduce" && e.monoid === "sum" && !isWide(e);

function joinedSum(outer: Reduce, outputs: ReadonlySet<string>): Reduce {
  const all = factors(outer.body);
  const sums = all.filter(isSum);
  const [inner] = sums;
  if (inner === undefined || sums.length > 1) return outer;
  // Sums of whole numbers are exact, and vectors of them are multiplied as such.
  if (isIntegral(inner.body) && !isIntegral(outer.body)) return outer;
  const [names, own] = [freeNames(outer), freeNames(inner)];
  const isShared = [...names].some((n) => outputs.has(n) && !own.has(n));
  if (isShared || outer.axes.some((a) => !own.has(a.name))) return outer;
  const where = [outer.where, inner.where].reduce((a, b) => (a === null ? b : b === null ? a : call("and", a, b)));
  const body = productFrom([...all.filter((f) => f !== inner), inner.body]);
  return { ...outer, axes: [...outer.axes, ...inner.axes], where, body };
}
