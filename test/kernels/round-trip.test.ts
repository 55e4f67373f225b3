import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseKernel } from "../../compiler/kernel/parse.ts";
import { printKernel } from "../../compiler/kernel/print.ts";
import { verify } from "../../compiler/kernel/verify.ts";
import { anyKernel } from "./any-kernel.ts";

test("what is printed reads back equal", () => {
  fc.assert(
    fc.property(anyKernel, (k) => {
      expect(parseKernel(printKernel(k))).toEqual({ ok: true, kernel: k });
    }),
    { numRuns: 300 },
  );
});

describe("texts that are no kernels", () => {
  test("give a place and a message, never an exception", () => {
    const edit = fc.record({
      at: fc.nat(2000),
      drop: fc.nat(6),
      put: fc.constantFrom(
        "",
        "(",
        ")",
        "{",
        "}",
        "[",
        "-",
        "1e999",
        "let x = ",
        "\u0000",
        '"',
        "//",
        "@",
        "lane",
        ":",
      ),
    });
    fc.assert(
      fc.property(anyKernel, fc.array(edit, { minLength: 1, maxLength: 3 }), (k, edits) => {
        let text = printKernel(k);
        for (const { at, drop, put } of edits) {
          const i = at % (text.length + 1);
          text = text.slice(0, i) + put + text.slice(i + drop);
        }
        const read = parseKernel(text);
        if (read.ok) expect(parseKernel(printKernel(read.kernel))).toEqual(read);
        else expect(read.line).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
  test.each([
    ["", 1, 1, "expected kernel, found the end of the text"],
    ['kernel @k "" {\n  let x = y\n}', 2, 11, "unknown name y"],
    ['kernel @k "" {\n  let x = a[0]\n}', 2, 11, "unknown memory a"],
    ['kernel @k "" { let x = fma(1, 2) }', 1, 24, "fma has 3 arguments, not 2"],
    ['kernel @k "" { } more', 1, 18, "expected the end, found more"],
    ['kernel @k "" { reg x: f64[2] }', 1, 23, "there is no type f64"],
  ])("%j", (text, line, column, message) => {
    expect(parseKernel(text)).toEqual({ ok: false, line, column, message });
  });
  test("nesting is bounded", () => {
    const deep = (open: string, close: string, n: number): string => open.repeat(n) + close.repeat(n);
    for (const text of [
      `kernel @k "" { let x = ${"(".repeat(9000)}1 }`,
      `kernel @k "" { let x = ${"1 + ".repeat(9000)}1 }`,
      `kernel @k "" { ${deep("if lane < 1 {", "}", 5000)} }`,
    ])
      expect(parseKernel(text)).toMatchObject({ ok: false, message: expect.stringContaining("too deep") });
  });
});

test("a random kernel is judged, never an exception", () => {
  fc.assert(
    fc.property(anyKernel, (k) => {
      for (const p of verify(k)) expect(p.rule).toBeGreaterThan(0);
    }),
    { numRuns: 300 },
  );
});
