/** Which kernels may take whole vectors, by where all calls of a program bind them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { multipleOf, startAtVectors } from "../../backends/wgsl/starts.ts";
import type { Binding, Program, SizeExpr, Step } from "../../runtime/artifact/program.ts";
import { evalSize } from "../../runtime/artifact/size-expr.ts";
import { parsedKernel } from "./cases.ts";

const sizes: fc.Arbitrary<SizeExpr> = fc.letrec<{ size: SizeExpr }>((tie) => ({
  size: fc.oneof(
    { maxDepth: 4 },
    fc.integer({ min: 0, max: 48 }),
    fc.constantFrom("T", "S0", "layer"),
    fc.tuple(fc.constantFrom("+", "*", "/", "%", "min", "max"), tie("size"), tie("size")),
  ),
})).size;

test("a size is a multiple of what is known of it, whatever a call is", () => {
  fc.assert(
    fc.property(sizes, fc.nat(100), fc.nat(100), fc.nat(30), (size, T, S0, layer) => {
      const values: Readonly<Record<string, number>> = { T, S0, layer };
      let value = 0;
      try {
        value = evalSize(size, (n) => values[n]);
      } catch {
        return; // a division by zero, or beyond what is exact
      }
      const known = multipleOf(size);
      expect(known === 0 ? value : value % known).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

describe("a kernel of vectors of four", () => {
  const kernel = parsedKernel(
    'kernel @k "" read x: f32[64] rows write y: f32[16] rows grid g in 16 { y[g] = fold_sum(x[g * 4]:4) }',
  );
  const call = (x: Binding, y: Binding): Step => ({ kind: "call", kernel: 0, buffers: [x, y], sizes: [], label: "k" });
  const whole = (steps: readonly Step[], row = 6): boolean | undefined => {
    const phase = { name: "p", entry: "e", from: 1, to: 1, inputs: [], buffers: [], outputs: [], steps };
    const states = [{ name: "s", elem: "f32" as const, row, copies: 4 }];
    // Of a program no more is asked.
    return startAtVectors({ phases: [phase], states } as unknown as Program, [kernel])[0];
  };
  const arena = (offset?: SizeExpr): Binding => ({
    kind: "arena",
    buffer: 0,
    ...(offset === undefined ? {} : { offset }),
  });
  const state = (copy: SizeExpr, row: SizeExpr): Binding => ({ kind: "state", state: 0, copy, row });
  const cases: readonly (readonly [string, boolean, readonly Step[], number?])[] = [
    ["of buffers from their start", true, [call(arena(), arena(0))]],
    ["at a layer of a stack", true, [call({ kind: "weight", weight: 0, offset: ["*", "layer", 96] }, arena())]],
    ["at a layer of 6 numbers", false, [call({ kind: "weight", weight: 0, offset: ["*", "layer", 6] }, arena())]],
    ["at the first row of a copy", true, [call(state("layer", 0), arena())]],
    ["at any row of 6 numbers", false, [call(state("layer", "S0"), arena())]],
    ["at any row of 8 numbers", true, [call(state("layer", "S0"), arena())], 8],
    ["at even rows of 6 numbers", true, [call(state(0, ["*", 2, "S0"]), arena())]],
    ["where what is stored, one by one, starts anywhere", true, [call(arena(), arena("T"))]],
    ["where one of several calls is beside", false, [call(arena(), arena()), call(arena("T"), arena())]],
    [
      "where one in a repeat is",
      false,
      [{ kind: "repeat", count: 2, index: "i", swap: [], body: [call(arena("i"), arena())] }],
    ],
  ];
  test.each(cases.map(([about, ...rest]) => ({ about, rest })))("$about", ({ rest: [expected, steps, row] }) => {
    expect(whole(steps, row)).toBe(expected);
  });
});
