/** Proofs that an index lies inside its axis, now or, where it depends on sizes not known yet, at every place of use. */
import type { Expr } from "../ast/nodes.ts";
import type { Code } from "../diagnostics/codes.ts";
import type { Span } from "../diagnostics/source.ts";
import { plainText } from "../types/axis.ts";
import { type Facts, withNonNegative } from "../types/facts.ts";
import { atomsOf, one, type Poly, printPoly, sub, substitute } from "../types/poly.ts";
import { isNonNegative, isSurelyNonNegative } from "../types/prove.ts";
import { factsHere, fail } from "./conditions.ts";
import type { EquationContext } from "./context.ts";

export type Verdict = "proved" | "refuted" | "depends" | "opaque";

/** More indices than this in one goal are not tried at all their ends. */
const mostEnds = 6;

/**
 * Whether `goal` >= 0. `refuted`: for some values of the indices it is negative whatever the sizes are; `depends`: it
 * hangs on sizes alone; `opaque`: on something of which nothing is known.
 */
export function verdict(goal: Poly, facts: Facts): Verdict {
  if (isSurelyNonNegative(goal, facts)) return "proved";
  let goals: Poly[] = [goal];
  for (let round = 0; round < mostEnds; round += 1) {
    const atom = goals
      .flatMap((g) => [...atomsOf(g).values()])
      .find((a) => a.kind === "index" || (a.kind === "value" && facts.bounds.has(a.key)));
    if (atom === undefined) break;
    const bounds = facts.bounds.get(atom.key);
    const { lower, upper } = bounds ?? { lower: null, upper: null };
    if (lower === null || upper === null) return "opaque";
    goals = goals.flatMap((g) => [
      substitute(g, new Map([[atom.key, lower]])),
      substitute(g, new Map([[atom.key, upper]])),
    ]);
  }
  let result: Verdict = "proved";
  for (const end of goals) {
    const kinds = [...atomsOf(end).values()].map((a) => a.kind);
    if (kinds.includes("index")) return "opaque";
    const answer = isNonNegative(end, facts);
    if (answer === "no") return "refuted";
    if (answer === "unknown") result = kinds.includes("value") ? "opaque" : "depends";
  }
  // At every end it holds, yet no proof was found: true of expressions that are monotone in each index, which all
  // multilinear ones are; floors and minima are monotone too.
  return result;
}

/** Reports unless 0 <= `poly` < `size`. Runs when the ranges of all indices are known. */
export function proveIndex(
  poly: Poly | null,
  size: Poly,
  expr: Expr,
  eq: EquationContext,
  code: Code,
  text: string,
  span: Span = expr.span,
): void {
  const around = [...eq.facts];
  eq.obligations.push(() => {
    const report = (why: string): void => {
      fail(eq.body, code, {
        title:
          code === "DS0222"
            ? "claim `as in` is not proved"
            : code === "DS0220"
              ? "index of another axis"
              : "read may be outside",
        at: span,
        label: why,
        help:
          code === "DS0222"
            ? "what is claimed must follow from ranges and constants; `n mod M` is an index of `M` without a claim"
            : "say what lies outside with `else`, restrict the indices with `where`, or make it an index with `mod`",
      });
    };
    const axis = plainText(printPoly(size));
    if (poly === null) {
      report(`nothing is known of the range of \`${plainText(text)}\``);
      return;
    }
    let facts = factsHere(eq);
    for (const fact of around) facts = withNonNegative(facts, fact);
    for (const [goal, what] of [
      [poly, `\`${plainText(printPoly(poly))}\` may be negative`],
      [sub(sub(size, one), poly), `\`${plainText(printPoly(poly))}\` may reach beyond the axis of size ${axis}`],
    ] as const) {
      const answer = verdict(goal, facts);
      if (answer === "proved") continue;
      // A block answers for all sizes: what it needs of them it requires. An entry knows its sizes with the config; but
      // that two axes might have one size is no reason to take an index of one for the other.
      const waits = code !== "DS0220" && (eq.body.owner.kind === "model" || eq.body.owner.kind === "entry");
      if (answer === "depends" && waits) {
        eq.body.deferred.push({ kind: "nonNegative", poly: goal, facts, code, span, origin: null, text: what });
        continue;
      }
      report(what);
      return;
    }
  });
}
