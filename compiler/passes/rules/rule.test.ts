import { describe, expect, test } from "vitest";
import { noFacts } from "../../../dsl/types/facts.ts";
import { mulDim, subDim } from "../../graph/dim.ts";
import type { Scalar } from "../../graph/node.ts";
import { printScalar } from "../../graph/print.ts";
import { add, axis, call, dimValue, mul, name, num } from "../../graph/scalar.ts";
import { placeOf } from "../in-range.ts";
import { indexRules } from "./index-rules.ts";
import { type Rule, settle } from "./rule.ts";

const axes = [axis("c", mulDim(2, "P")), axis("i", "P"), axis("u", 2)];
const place = placeOf(noFacts, axes);
const settled = (e: Scalar): string => printScalar(settle(e, indexRules, place, () => {}));
const [c, i, u] = [name("c"), name("i"), name("u")];
const P = dimValue("P");
const half = (e: Scalar): Scalar => call("floordiv", e, num(2));
const rest = (e: Scalar): Scalar => call("mod", e, num(2));

describe("index rules", () => {
  test.each<readonly [Scalar, string]>([
    [add(mul(num(2), half(c)), rest(c)), "c"],
    [add(add(mul(num(2), half(c)), rest(c)), P), "c + P"],
    [add(mul(num(2), half(c)), rest(i)), "2 * floordiv(c, 2) + mod(i, 2)"],
    [half(add(mul(num(2), i), u)), "i"],
    [rest(add(mul(num(2), i), u)), "u"],
    [half(add(add(mul(num(2), i), u), num(1))), "floordiv(2 * i + u + 1, 2)"],
    [call("floordiv", add(c, mul(P, i)), P), "floordiv(c + P * i, P)"],
    [call("lt", c, dimValue(mulDim(2, "P"))), "1"],
    [call("le", dimValue(mulDim(2, "P")), c), "0"],
    [call("lt", c, dimValue(subDim(mulDim(2, "P"), 1))), "c < {2*P - 1}"],
    [call("eq", add(u, num(2)), num(1)), "0"],
    [call("eq", add(u, num(-2)), num(1)), "0"],
    [call("eq", add(c, P), add(P, c)), "1"],
    [call("eq", u, num(1)), "u == 1"],
    [call("select", call("lt", i, P), c, u), "c"],
    [call("and", call("le", num(0), c), call("lt", c, P)), "c < P"],
  ])("%#: %j", (e, text) => expect(settled(e)).toBe(text));
});

test("two rules that undo each other are stopped, by name", () => {
  const swap = (label: string, from: string, to: string): Rule => ({
    name: label,
    exactness: "exact",
    apply: (e) => (e.kind === "name" && e.name === from ? name(to) : null),
  });
  const rules = [swap("there", "a", "b"), swap("back", "b", "a")];
  expect(() => settle(name("a"), rules, place, () => {})).toThrow(/rule (there|back) did not settle/);
});
