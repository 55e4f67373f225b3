import { describe, expect, test } from "vitest";
import { checkedValues, elementsIn, firstWrong, isRight, valuesIn, weightOf } from "./check-sums.ts";
import { CorruptPackageError } from "./errors.ts";
import { checkBytes, checkValue, type KernelCheck, readKernelChecks } from "./kernel-checks.ts";
import type { BufferElem, KernelDecl } from "./program.ts";

const buffer = (elem: BufferElem, access: "read" | "write") => ({ name: `${elem}_${access}`, elem, extent: 8, access });
const kernel: KernelDecl = {
  ...{ name: "k", sizes: ["T"], grid: ["T"], scratch: 0 },
  buffers: [buffer("bf16", "read"), buffer("f32", "write"), buffer("i32", "write")],
};
const check: KernelCheck = {
  ...{ kernel: 0, groups: 1, sizes: [5], bound: 64, elements: [4, 8, 8], reals: "signed", wholes: "few" },
  expected: [
    { buffer: 1, runs: [0, 3, 2, 2], others: "kept", within: 0.25, sums: [1, -2] },
    { buffer: 2, runs: [3, 1], others: "any", within: 0, sums: [9, 8] },
  ],
};
const read = (checks: unknown): readonly KernelCheck[] =>
  readKernelChecks(new TextEncoder().encode(JSON.stringify(checks)), { kernels: [kernel] });

test("are read as they were written", () => {
  expect(read([check])).toEqual([check]);
  expect(read([])).toEqual([]);
});

describe("refused:", () => {
  test.each<readonly [string, unknown, string]>([
    ["no list", { check }, "expected a list"],
    ["more than there are kernels", [check, check], "at most 1 are read"],
    ["no kernel", [{ ...check, kernel: 1 }], "$[0].kernel"],
    ["a size too few", [{ ...check, sizes: [] }], "kernel 0 has 1 sizes"],
    ["a size below 0", [{ ...check, sizes: [-1] }], "$[0].sizes[0]"],
    ["a buffer too few", [{ ...check, elements: [4, 8] }], "kernel 0 has 1 sizes and 3 buffers"],
    ["a buffer of a GiB", [{ ...check, elements: [4, 2 ** 28, 8] }], "$[0].elements[1]"],
    [
      "more runs than elements",
      [{ ...check, expected: [{ ...check.expected[0], runs: [4, 5] }] }],
      "9 elements in a buffer of 8",
    ],
    ["a run without its length", [{ ...check, expected: [{ ...check.expected[0], runs: [4] }] }], "that are no pairs"],
    ["no sums", [{ ...check, expected: [{ ...check.expected[0], sums: [] }] }], "that are no pairs"],
    ["a sum alone", [{ ...check, expected: [{ ...check.expected[0], sums: [1] }] }], "that are no pairs"],
    [
      "others that are neither",
      [{ ...check, expected: [{ ...check.expected[0], others: "new" }] }],
      "expected kept, any",
    ],
    ["a bound of no turn", [{ ...check, bound: 0 }], "$[0].bound"],
    ["nothing that runs", [{ ...check, groups: 0 }], "$[0].groups"],
    ["a year of it", [{ ...check, groups: 2 ** 20 }], "$[0].groups"],
    ["an unknown formula", [{ ...check, reals: "random" }], "$[0].reals"],
    ["sums of what is read", [{ ...check, expected: [{ ...check.expected[0], buffer: 0 }] }], "is only read"],
    ["a sum that is none", [{ ...check, expected: [{ ...check.expected[0], sums: [1, null] }] }], "a number"],
  ])("%s", (_, checks, message) => {
    expect(() => read(checks)).toThrow(CorruptPackageError);
    expect(() => read(checks)).toThrow(message);
    expect(() => read(checks)).toThrow("kernels/checks.json");
  });
  test("what is no JSON", () => {
    expect(() => readKernelChecks(Uint8Array.of(0x5b), { kernels: [kernel] })).toThrow(
      "kernels/checks.json: $: no JSON",
    );
  });
});

test.each(["f32", "f16", "bf16", "i8", "i16", "i32", "i64", "u32", "bool"] as const)(
  "inputs are exact in %s",
  (elem) => {
    const of: KernelDecl = { ...kernel, buffers: [buffer(elem, "read")] };
    for (const reals of ["signed", "positive"] as const)
      for (const wholes of ["few", "counted"] as const) {
        const bytes = checkBytes({ ...check, elements: [100], reals, wholes }, of, 0);
        const found = Array.from({ length: 100 }, (_, i) => valuesIn(bytes, elem)(i));
        expect(found).toEqual(Array.from({ length: 100 }, (_, i) => checkValue(elem, 0, i, { reals, wholes })));
        expect(new Set(found).size).toBeGreaterThan(1);
      }
  },
);

describe("what is written", () => {
  const elements = [...elementsIn([0, 3, 2, 2])];
  const values = [1, -0.5, 0.25, 2, -1];
  /** Of the f32 that are written, and of an i32; all else as it was. */
  const bytesOf = (f32: readonly number[], i32 = 9, other: readonly [number, number] | null = null) => {
    const real = new Float32Array(checkBytes(check, kernel, 1).buffer);
    for (const [i, at] of elements.entries()) real[at] = f32[i] ?? 0;
    if (other !== null) real[other[0]] = other[1];
    const bytes = [
      new Uint8Array(0),
      new Uint8Array(real.buffer),
      new Uint8Array(Int32Array.of(0, 0, 0, i32, 0, 0, 0, 0).buffer),
    ];
    return (b: number) => bytes[b] ?? new Uint8Array(0);
  };
  const term = (i: number, way: 0 | 1): number => weightOf(1, elements[i] ?? 0, way) * (values[i] ?? 0);
  const [turns, together] = [
    [term(0, 0) + term(2, 0) + term(4, 0), term(1, 0) + term(3, 0)],
    [term(0, 1) + term(1, 1) + term(2, 1), term(3, 1) + term(4, 1)],
  ];
  const whole = [9 * weightOf(2, 3, 0), 9 * weightOf(2, 3, 1)];
  const right: KernelCheck = {
    ...check,
    expected: [
      { buffer: 1, runs: [0, 3, 2, 2], others: "kept", within: 1e-4, sums: [...turns, ...together] },
      { buffer: 2, runs: [3, 1], others: "any", within: 0, sums: whole },
    ],
  };
  const wrong = (bytes: (b: number) => Uint8Array) => firstWrong(right, kernel, bytes);
  const changed = (i: number, to: number): number[] => values.map((x, j) => (i === j ? to : x));

  test("is right as it is, and as far off as it may be", () => {
    expect(elements).toEqual([0, 1, 2, 5, 6]);
    expect(wrong(bytesOf(values))).toBeNull();
    expect(wrong(bytesOf(changed(1, -0.50005)))).toBeNull();
    expect(checkedValues(right, kernel, bytesOf(values)).every(isRight)).toBe(true);
  });
  test.each(elements.map((at, i) => [at, i] as const))("is wrong where element %d is", (_, i) => {
    for (const to of [-(values[i] ?? 0), 0, (values[i] ?? 0) + 1e-3, Number.NaN, Number.POSITIVE_INFINITY])
      expect(wrong(bytesOf(changed(i, to)))).toMatchObject({ buffer: 1, what: "sum", at: i % 2 });
  });
  test("is seen in both sums", () => {
    const found = checkedValues(right, kernel, bytesOf(changed(2, 7))).flatMap((one, i) => (isRight(one) ? [] : [i]));
    expect(found).toEqual([0, 2]);
  });
  test("is wrong where two are in each other's place, in one sum or in two", () => {
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 3],
      [2, 4],
    ] as const) {
      const swapped = values.map((x, k) => (k === i ? (values[j] ?? 0) : k === j ? (values[i] ?? 0) : x));
      expect(wrong(bytesOf(swapped)), `${i} and ${j}`).not.toBeNull();
    }
  });
  test("is wrong where a number is off by one", () => {
    expect(wrong(bytesOf(values, 8))).toMatchObject({ buffer: 2, within: 0 });
  });
  test("is wrong where something else is written, if others are to stay", () => {
    for (const at of [3, 4, 7])
      expect(wrong(bytesOf(values, 9, [at, 5]))).toEqual({
        ...{ buffer: 1, what: "element", at, value: 5, within: 0 },
        wanted: checkValue("f32", 1, at, check),
      });
  });
  test("is wrong where it did not come back", () => {
    expect(wrong(() => new Uint8Array(8))).toMatchObject({ buffer: 1, value: Number.NaN });
  });
});

test("an i64 counts with both its halves", () => {
  const value = valuesIn(new Uint8Array(BigInt64Array.of(5n, 5n + 2n ** 40n, -1n).buffer), "i64");
  expect([value(0), value(1), value(2)]).toEqual([5, 5 ^ 256, 0]);
});

test("weights are neither small nor alike", () => {
  const weights = Array.from({ length: 1000 }, (_, i) => weightOf(0, i, 1));
  expect(Math.min(...weights.map(Math.abs))).toBeGreaterThan(0.5);
  expect(Math.max(...weights.map(Math.abs))).toBeLessThanOrEqual(1);
  expect(new Set(weights).size).toBe(64);
  expect(Math.abs(weights.reduce((a, b) => a + b, 0))).toBeLessThan(100);
});
