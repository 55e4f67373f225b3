import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  add,
  ceilDivide,
  constant,
  divideExact,
  floorDivide,
  maxOf,
  minOf,
  modulo,
  mul,
  neg,
  pow,
  sub,
  symbol,
} from "../../dsl/types/poly.ts";
import { type Dim, evalDim, printDim } from "./dim.ts";
import { parseDim } from "./parse-dim.ts";
import { Cursor } from "./tokens.ts";

const parsed = (text: string): Dim => {
  const c = new Cursor(text);
  const d = parseDim(c);
  expect(c.next.kind, `rest of ${text}`).toBe("end");
  return d;
};
const leaf = fc.oneof(
  fc.constantFrom("T", "S0", "E", "n_heads", "cfg.rank").map((n) => symbol(n)),
  fc.integer({ min: 0, max: 200 }).map((n) => constant(n)),
);
const positive = fc.oneof(
  fc.constantFrom("T", "E").map((n) => symbol(n)),
  fc.integer({ min: 1, max: 64 }).map((n) => constant(n)),
);
const { size } = fc.letrec<{ size: Dim }>((tie) => ({
  size: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => add(a, b)),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => sub(a, b)),
    fc.tuple(tie("size"), leaf).map(([a, b]) => mul(a, b)),
    fc.tuple(tie("size"), positive).map(([a, b]) => floorDivide(a, b)),
    fc.tuple(tie("size"), positive).map(([a, b]) => ceilDivide(a, b)),
    fc.tuple(tie("size"), positive).map(([a, b]) => modulo(a, b)),
    fc.tuple(tie("size"), positive).map(([a, b]) => divideExact(a, b)),
    fc.tuple(tie("size"), tie("size")).map((ab) => minOf(ab)),
    fc.tuple(tie("size"), tie("size")).map((ab) => maxOf(ab)),
    tie("size").map((a) => neg(a)),
    leaf.map((a) => pow(a, 2)),
  ),
}));

describe("sizes", () => {
  test("as they are printed, so they are read", () => {
    const texts = [
      "0",
      "2*T + 1",
      "S0 + T",
      "E / G",
      "T div 4",
      "(H + T) div 4",
      "ceil_div(O, 128)",
      "B*ceil_div(O, B)",
      "H + T mod 4",
      "min(K, 64)",
      "max(H, T + 1)",
      "T^2",
      "-T",
      "1 - T",
      "G * T / B",
      "E / (G*H)",
      "T/2 + 1",
      "cfg.rank",
    ];
    for (const text of texts) expect(printDim(parsed(text))).toBe(text);
  });
  test("every size that can be made is its text", () => {
    fc.assert(
      fc.property(size, (d) => {
        const text = printDim(d);
        expect(parsed(text).key, text).toBe(d.key);
      }),
      { numRuns: 2000, seed: 7 },
    );
  });
  test("the usual precedence", () => {
    const sizes = { a: 7, b: 3, c: 2 };
    const value = (text: string): number => evalDim(parsed(text), sizes);
    expect(
      ["a - b - c", "a - (b - c)", "a + b * c", "-a + b", "a * b div c", "a div b * c", "a mod b mod c"].map(value),
    ).toEqual([2, 6, 13, -4, 10, 4, 1]);
  });
});
