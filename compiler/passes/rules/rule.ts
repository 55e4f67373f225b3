/** Local rules as data: a name, what they cost in exactness, and the rewrite of one expression whose parts are done. */
import type { Place } from "../../graph/index-range.ts";
import { InternalError } from "../../graph/internal-error.ts";
import type { Scalar } from "../../graph/node.ts";
import { mapChildren } from "../../graph/scalar.ts";
import type { Exactness } from "../pass.ts";

export interface Rule {
  readonly name: string;
  readonly exactness: Exactness;
  /** null where the rule has nothing to say. What it gives is never worse, or rules would not come to an end. */
  readonly apply: (e: Scalar, place: Place) => Scalar | null;
}

/** Steps at one expression. Each rule here removes an operation, so a few are enough; more is two rules undoing each other. */
const maxSteps = 32;

/** Rules applied from the inside out until none applies. Throws with the name of a rule that does not come to an end. */
export function settle(e: Scalar, rules: readonly Rule[], place: Place, used: (rule: Rule) => void): Scalar {
  let x = mapChildren(e, (c) => settle(c, rules, place, used));
  for (let step = 0; ; step += 1) {
    const found = firstThatApplies(x, rules, place);
    if (found === null) return x;
    if (step === maxSteps) throw new InternalError(`rule ${found.rule.name} did not settle`);
    used(found.rule);
    x = mapChildren(found.result, (c) => settle(c, rules, place, used));
  }
}

function firstThatApplies(e: Scalar, rules: readonly Rule[], place: Place): { rule: Rule; result: Scalar } | null {
  for (const rule of rules) {
    const result = rule.apply(e, place);
    if (result !== null) return { rule, result };
  }
  return null;
}
