import { describe, expect, test } from "vitest";
import { CorruptPackageError } from "./errors.ts";
import { checkBytes, checkValue, firstWrong, type KernelCheck, readKernelChecks, valueIn } from "./kernel-checks.ts";
import type { BufferElem, KernelDecl } from "./program.ts";

const buffer = (elem: BufferElem, access: "read" | "write") => ({ name: `${elem}_${access}`, elem, extent: 8, access });
const kernel: KernelDecl = {
  ...{ name: "k", sizes: ["T"], grid: ["T"], scratch: 0 },
  buffers: [buffer("bf16", "read"), buffer("f32", "write"), buffer("i32", "write")],
};
const check: KernelCheck = {
  ...{ kernel: 0, groups: 1, sizes: [5], elements: [4, 8, 8], reals: "signed", wholes: "few" },
  expected: [
    { buffer: 1, within: 0.25, at: [0, 7], values: [1, -2] },
    { buffer: 2, within: 0, at: [3], values: [9] },
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
    ["nothing that runs", [{ ...check, groups: 0 }], "$[0].groups"],
    ["a year of it", [{ ...check, groups: 2 ** 20 }], "$[0].groups"],
    ["an unknown formula", [{ ...check, reals: "random" }], "$[0].reals"],
    ["a sample of what is read", [{ ...check, expected: [{ ...check.expected[0], buffer: 0 }] }], "is only read"],
    [
      "a sample beside the buffer",
      [{ ...check, expected: [{ ...check.expected[0], at: [8, 0] }] }],
      "expected[0].at[0]",
    ],
    ["a place without a value", [{ ...check, expected: [{ ...check.expected[0], values: [1] }] }], "differ in number"],
    ["a value that is none", [{ ...check, expected: [{ ...check.expected[0], values: [1, null] }] }], "a number"],
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
        const found = Array.from({ length: 100 }, (_, i) => valueIn(bytes, elem, i));
        expect(found).toEqual(Array.from({ length: 100 }, (_, i) => checkValue(elem, 0, i, { reals, wholes })));
        expect(new Set(found).size).toBeGreaterThan(1);
      }
  },
);

test("a sample may be as far off as it says, and a nan is never right", () => {
  const found = (f32: number, i32: number) => {
    const bytes = [new Uint8Array(0), new Uint8Array(Float32Array.of(1, 0, 0, 0, 0, 0, 0, f32).buffer)];
    const whole = new Uint8Array(Int32Array.of(0, 0, 0, i32, 0, 0, 0, 0).buffer);
    return firstWrong(check, kernel, (b) => [...bytes, whole][b] ?? new Uint8Array(0));
  };
  expect(found(-2.25, 9)).toBeNull();
  expect(found(-2.5, 9)).toEqual({ buffer: 1, at: 7, value: -2.5, wanted: -2, within: 0.25 });
  expect(found(Number.NaN, 9)).toMatchObject({ buffer: 1, at: 7 });
  expect(found(-2, 8)).toEqual({ buffer: 2, at: 3, value: 8, wanted: 9, within: 0 });
});
