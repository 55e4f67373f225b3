/** A result `[T] set of S`: callers rely on it holding no row later than the token. */
import type { Result } from "../ast/nodes.ts";
import { withNonNegative } from "../types/facts.ts";
import { asSymbol, printPoly, value as valueAtom } from "../types/poly.ts";
import { isSurelyNonNegative } from "../types/prove.ts";
import { causalFacts } from "./causality.ts";
import { fail } from "./conditions.ts";
import type { Body, Value } from "./context.ts";
import { placeAtom } from "./values.ts";

export function checkMembersCausal(result: Result, value: Value, body: Body): void {
  const { element } = value;
  const [axis] = value.axes;
  if (element.kind !== "set" || axis?.kind !== "plain") return;
  const token = asSymbol(axis.size);
  const positions = token === null ? [] : (body.tokens.get(token) ?? []);
  if (positions.length === 0) return;
  let facts = body.pathFacts;
  for (const fact of element.facts) facts = withNonNegative(facts, fact);
  const goals = positions.flatMap((name) =>
    causalFacts(element.of, valueAtom(`${name}[${printPoly(placeAtom(0))}]`), body),
  );
  if (goals.length === 0 || goals.some((goal) => isSurelyNonNegative(goal, facts))) return;
  fail(body, "DS0232", {
    title: "a token may read what comes later",
    at: result.name.span,
    label: "members of this set may belong to later tokens",
    help: `restrict the rows it is chosen from: \`s where s <= ${positions[0] ?? "pos"}[t]\``,
  });
}
