import fc from "fast-check";
import { expect, test } from "vitest";
import type { SizeExpr } from "../artifact/program.ts";
import { evalSize } from "../artifact/size-expr.ts";
import { ValueBuilder } from "./values.ts";

const expression: fc.Arbitrary<SizeExpr> = fc.letrec<{ e: SizeExpr }>((tie) => ({
  e: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom("T", "S0", "n"),
    fc.nat(50),
    fc.tuple(fc.constantFrom("+", "-", "*", "/", "%", "min", "max"), tie("e"), tie("e")),
  ),
})).e;

test("values are what the expressions mean, errors included", () => {
  fc.assert(
    fc.property(fc.array(expression, { maxLength: 6 }), fc.nat(9), fc.nat(9), (expressions, t, s) => {
      const known: Readonly<Record<string, number>> = { T: t, S0: s, n: 3 };
      const want = attempt(() => expressions.map((e) => evalSize(e, (name) => known[name])));
      const got = attempt(() => {
        const b = new ValueBuilder();
        const scope = new Map([
          ["T", b.input()],
          ["S0", b.input()],
          ["n", b.constant(3)],
        ]);
        const ids = expressions.map((e) => b.expression(e, scope));
        const values = b.finish();
        attempt(() => values.evaluate([99, 99]));
        const numbers = values.evaluate([t, s]);
        return ids.map((id) => numbers[id] ?? Number.NaN);
      });
      // What is multiplied by nothing is not computed, so an error there may be missing.
      if (want !== null) expect(got === null || got.map((x) => x + 0)).toEqual(want.map((x) => x + 0));
    }),
    { numRuns: 2000 },
  );
});

test("equal expressions are one value, known ones are numbers", () => {
  const b = new ValueBuilder();
  const scope = new Map([["T", b.input()]]);
  const twice = b.expression(["*", "T", 2], scope);
  expect(b.expression(["*", 2, "T"], scope)).toBe(twice);
  expect(b.known(twice)).toBeNull();
  expect(b.known(b.expression(["/", 7, 2], scope))).toBe(3);
  expect(b.known(b.expression(["*", "T", 0], scope))).toBe(0);
  expect(b.expression(["+", 0, "T"], scope)).toBe(scope.get("T"));
});

function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
