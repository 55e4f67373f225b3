import { expect, test } from "vitest";
import type { WeightDecl } from "./program.ts";
import { matchesPattern, tensorNames } from "./tensor-names.ts";

const weight = (stacks: readonly number[], tensors: WeightDecl["tensors"]): WeightDecl => ({
  name: "w",
  elem: "f32",
  stacks,
  shape: [1],
  tensors,
  below: null,
  at: null,
});

test("patterns count each stack from its first, row-major", () => {
  const names = tensorNames(weight([2, 3], { patterns: ["l.{0}.e.{1}.w", "x{1}.{0}"], from: [3, 0] }));
  expect(names[0]).toEqual(["l.3.e.0.w", "x0.3"]);
  expect(names.map((n) => n[0])).toEqual([
    ...["l.3.e.0.w", "l.3.e.1.w", "l.3.e.2.w"],
    ...["l.4.e.0.w", "l.4.e.1.w", "l.4.e.2.w"],
  ]);
  expect(tensorNames(weight([], { patterns: ["embed"], from: [] }))).toEqual([["embed"]]);
  expect(tensorNames(weight([1], { list: [["a", "b"]] }))).toEqual([["a", "b"]]);
});

test.each([
  ["*.inv_freq", "a.b.inv_freq", true],
  ["*.inv_freq", "inv_freq", false],
  ["a*c*e", "abcde", true],
  ["a*c*e", "ace", true],
  ["a*c*e", "ae", false],
  ["a*a", "a", false],
  ["*", "", true],
  ["a.b", "a.b", true],
  ["a.b", "axb", false],
  ["a**b", "ab", true],
])("%s and %s: %s", (pattern, name, matches) => {
  expect(matchesPattern(pattern, name)).toBe(matches);
});
