/** Rules of conditions and whole-number arithmetic: all exact, all decided for every value of the indices. */
import { floorDivide } from "../../../dsl/types/poly.ts";
import { affineOf } from "../../graph/affine.ts";
import { type Dim, mulDim, oneDim, subDim, zeroDim } from "../../graph/dim.ts";
import { type Place, reachOf, yes } from "../../graph/index-range.ts";
import type { Scalar } from "../../graph/node.ts";
import { add, asDim, dimValue, freeNames, mul, num, same } from "../../graph/scalar.ts";
import { atLeast, decide } from "../in-range.ts";
import type { Rule } from "./rule.ts";

/** A guard or condition that always or never holds. */
export const decidedCondition: Rule = {
  name: "decided condition",
  exactness: "exact",
  apply: (e, place) => {
    if (e.kind !== "call" || (e.fn !== "lt" && e.fn !== "le" && e.fn !== "eq")) return null;
    const holds = decide(e, place);
    return holds === null ? null : num(holds ? 1 : 0);
  },
};

/** d·floordiv(x, d) + mod(x, d) = x: what fusing a split of an axis into the axis leaves behind. */
export const quotientAndRemainder: Rule = {
  name: "quotient and remainder",
  exactness: "exact",
  apply: (e) => {
    if (e.kind !== "call" || (e.fn !== "add" && e.fn !== "sub")) return null;
    const { terms, constant } = affineOf(e);
    for (const { atom: rest, coefficient } of terms.values()) {
      const [x, d] = rest.kind === "call" && rest.fn === "mod" ? rest.args : [];
      const size = d === undefined ? null : asDim(d);
      if (x === undefined || size === null || coefficient.key !== oneDim.key) continue;
      const whole = [...terms.values()].find(
        ({ atom: q, coefficient: c }) => isQuotient(q, x, size) && c.key === size.key,
      );
      if (whole === undefined) continue;
      const others = [...terms.values()].filter((t) => t.atom !== rest && t !== whole);
      const sum = others.reduce((a, t) => add(a, mul(dimValue(t.coefficient), t.atom)), x);
      return constant.key === zeroDim.key ? sum : add(sum, dimValue(constant));
    }
    return null;
  },
};
const isQuotient = (e: Scalar, x: Scalar, d: Dim): boolean => {
  const [y, by] = e.kind === "call" && e.fn === "floordiv" ? e.args : [];
  return y !== undefined && by !== undefined && asDim(by)?.key === d.key && same(y, x);
};

/** floordiv(d·q + r, d) = q and mod(d·q + r, d) = r where 0 <= r < d: a pair index taken apart again. */
export const divideMultiple: Rule = {
  name: "divide a multiple",
  exactness: "exact",
  apply: (e, place) => {
    if (e.kind !== "call" || (e.fn !== "floordiv" && e.fn !== "mod")) return null;
    const [x, by] = e.args;
    const d = by === undefined ? null : asDim(by);
    if (x === undefined || d === null || freeNames(x).size === 0) return null;
    const parts = divided(x, d, place);
    return parts === null ? null : e.fn === "floordiv" ? parts.quotient : parts.rest;
  },
};

/** a / d where it is whole. */
function multipleOf(a: Dim, d: Dim): Dim | null {
  const quotient = floorDivide(a, d);
  return mulDim(quotient, d).key === a.key ? quotient : null;
}

function divided(x: Scalar, d: Dim, place: Place): { quotient: Scalar; rest: Scalar } | null {
  let quotient: Scalar = num(0);
  let rest: Scalar = num(0);
  const { terms, constant } = affineOf(x);
  for (const { atom, coefficient } of terms.values()) {
    const times = multipleOf(coefficient, d);
    if (times === null) rest = add(rest, mul(dimValue(coefficient), atom));
    else quotient = add(quotient, mul(dimValue(times), atom));
  }
  const times = constant.key === zeroDim.key ? null : multipleOf(constant, d);
  if (times === null) rest = add(rest, dimValue(constant));
  else quotient = add(quotient, dimValue(times));
  const reach = reachOf(rest, place);
  const inside = reach !== null && yes(reach.low, place) && atLeast(subDim(d, 1), reach.high, place);
  return inside ? { quotient, rest } : null;
}

/** A reduction over all points of its axes. */
export const trueGuard: Rule = {
  name: "true guard",
  exactness: "exact",
  apply: (e) => {
    if ((e.kind !== "reduce" && e.kind !== "fold") || e.where?.kind !== "const" || e.where.value === 0) return null;
    return { ...e, where: null };
  },
};

export const indexRules: readonly Rule[] = [decidedCondition, trueGuard, quotientAndRemainder, divideMultiple];
