import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Block, Model } from "../ast/nodes.ts";
import { makeSource, spanText } from "../diagnostics/source.ts";
import { keywords } from "../lexer/tokens.ts";
import { maxDepth } from "./nesting.ts";
import { parse } from "./parse.ts";

const read = (text: string) => parse(makeSource("a.ds", text));

function blockOf(text: string): Block {
  const { file, diagnostics } = read(text);
  expect(diagnostics).toEqual([]);
  const block = file.declarations.find((declaration) => declaration.kind === "block");
  if (block === undefined) throw new Error("no block");
  return block;
}

function modelOf(text: string): Model {
  const { file, diagnostics } = read(text);
  expect(diagnostics).toEqual([]);
  const model = file.declarations.find((declaration) => declaration.kind === "model");
  if (model === undefined) throw new Error("no model");
  return model;
}

describe("documentation", () => {
  it("is what stands directly before, or trails on the same line", () => {
    const block = blockOf(
      [
        "/// The file.",
        "",
        "/// One",
        "///",
        "///  two",
        "block b(x: [D], /// of x",
        "    /// of z",
        "    z: real) -> y: [D] {",
        "  param a : dim /// of a",
        "  param b : dim // no documentation",
        "",
        "  /// far",
        "",
        "  param c : dim",
        "}",
      ].join("\n"),
    );
    expect(block.doc).toBe("One\n\n two");
    expect(block.params.map(({ doc }) => doc)).toEqual(["of x", "of z"]);
    expect(block.items.map(({ doc }) => doc)).toEqual(["of a", null, null]);
  });
});

describe("trees", () => {
  it("nests `else if`", () => {
    const block = blockOf("block b(x: [D]) -> y: [D] { if a { y := 1 } else if c { y := 2 } else { y := 3 } }");
    const outer = block.items[0];
    if (outer?.kind !== "if") throw new Error("no if");
    expect([outer.elseIf, outer.elseSpan, spanText(outer.thenSpan)]).toEqual([true, null, "{ y := 1 }"]);
    const inner = outer.else?.[0];
    if (inner?.kind !== "if") throw new Error("no else if");
    expect([inner.elseIf, inner.elseSpan === null ? "" : spanText(inner.elseSpan)]).toEqual([false, "{ y := 3 }"]);
    expect(spanText(inner.span)).toBe("if c { y := 2 } else { y := 3 }");
  });

  it("reads a block type and a slot after a type apart", () => {
    const model = modelOf("model m {\n  param p : [J]\n  block s = f(..)\n  param q : [J] block(x: [D]) -> y: [D]\n}");
    expect(model.items.map(({ kind }) => kind)).toEqual(["param", "slot", "param"]);
  });

  it("takes `draft` and `memory` for names elsewhere", () => {
    const model = modelOf(
      "model m {\n  runtime S : memory in 1..9\n  loop a = sample b\n  draft := 1\n  loop c = sample d for 3 draft draft\n}",
    );
    expect(model.items.map(({ kind }) => kind)).toEqual(["runtime", "loop", "equation", "loop"]);
    const last = model.items[3];
    expect(last?.kind === "loop" ? last.draft?.text : null).toBe("draft");
  });

  it("gives every equation its parts", () => {
    const block = blockOf("block b(x: [D]) -> y: [D] {\n  a[t] | _ : [T, D] := f(x)\n  s[pos[t]] <- c where d == 1\n}");
    const [split, write] = block.items;
    if (split?.kind !== "equation" || write?.kind !== "equation") throw new Error("no equations");
    expect([split.separator, split.operator, split.targets.map(({ name }) => name.text)]).toEqual([
      "|",
      ":=",
      ["a", "_"],
    ]);
    expect([write.separator, write.operator, write.where?.kind]).toEqual([null, "<-", "binary"]);
  });

  it("keeps the digits and the escapes of literals", () => {
    const { file } = read('import a from "x\\"\\n\\\\"\nfn f(x: real) = 9007199254740993');
    expect(file.imports[0]?.from.value).toBe('x"\n\\');
    const fn = file.declarations[0];
    expect(fn?.kind === "fn" && fn.expression?.kind === "number" ? fn.expression.text : "").toBe("9007199254740993");
  });
});

describe("nesting (DS0008)", () => {
  const inFn = (text: string): string => `fn g(x: real) = x\nfn f(x: real) = ${text}`;
  it.each([
    ["parentheses", inFn(`${"(".repeat(10_000)}x${")".repeat(10_000)}`)],
    ["open parentheses", inFn("(".repeat(10_000))],
    ["minuses", inFn(`${"- ".repeat(100_000)}x`)],
    ["nots", inFn(`${"not ".repeat(100_000)}x`)],
    ["powers", inFn(`${"x ^ ".repeat(100_000)}x`)],
    ["a sum", inFn(`${"1+".repeat(100_000)}1`)],
    ["conditions", inFn(`${"x ? ".repeat(10_000)}x`)],
    ["cases", inFn(`${"x ? 1 : ".repeat(10_000)}x`)],
    ["casts", inFn(`x${" as in x".repeat(10_000)}`)],
    ["suffixes", inFn(`x${"[0]".repeat(10_000)}`)],
    ["types", inFn("x").replace("real", `block${"() -> y: block".repeat(10_000)}`)],
    ["branches", `block b(x: [D]) -> y: [D] { if a { } ${"else if a { } ".repeat(10_000)} }`],
    ["bodies", `block b(x: [D]) -> y: [D] { ${"if a { ".repeat(10_000)}`],
  ])("%s end with one report", (_, text) => {
    expect(read(text).diagnostics.map(({ code }) => code)).toEqual(["DS0008"]);
  });

  it("allows what people write", () => {
    const groups = Math.floor(maxDepth / 2) - 2;
    expect(read(inFn(`${"(".repeat(groups)}x${")".repeat(groups)}`)).diagnostics).toEqual([]);
    expect(read(inFn(`${"x + ".repeat(200)}x`)).diagnostics).toEqual([]);
    const many = Array.from({ length: 500 }, (_, i) => `  a${i} := x + 1`).join("\n");
    expect(read(`block b(x: [D]) -> y: [D] {\n${many}\n}`).diagnostics).toEqual([]);
  });

  it("reads the declarations before the one that is too deep", () => {
    const { file } = read(inFn("(".repeat(10_000)));
    expect(file.declarations.map(({ kind }) => kind)).toEqual(["fn"]);
  });
});

describe("long texts", () => {
  it.each([
    ["unknown characters", "§ ".repeat(150_000)],
    ["closing brackets", ") ".repeat(50_000)],
    ["members", `fn f(x: real) = {${"1,".repeat(130_000)}1}`],
  ])("of %s", (_, text) => {
    expect(read(text).file.kind).toBe("file");
  });
});

const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom(...keywords, "a", "b", "_", "1", "0.5", '"s"', "// c\n", "/// d\n", "\n", "  "),
      fc.constantFrom(..."( ) [ ] { } , : := <- -> = == < | . .. ? ?? + - * / ^ ~ $ §".split(" ")),
    ),
    { maxLength: 200 },
  )
  .map((parts) => parts.join(" "));

describe("any text", () => {
  const check = (text: string): void => {
    const { file, diagnostics } = read(text);
    expect(file.kind).toBe("file");
    for (const { primary, secondary } of diagnostics) {
      for (const { span } of [primary, ...secondary]) {
        expect(span.start).toBeGreaterThanOrEqual(0);
        expect(span.end).toBeGreaterThanOrEqual(span.start);
        expect(span.end).toBeLessThanOrEqual(text.length);
      }
    }
  };

  it("of random characters gives a tree", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), check), { numRuns: 500 });
  });

  it("of random tokens gives a tree", () => {
    fc.assert(fc.property(soup, check), { numRuns: 500 });
  });

  it("with an unknown token is never called correct", () => {
    const isReported = (text: string): void => {
      expect(read(`${text}\n§`).diagnostics.length).toBeGreaterThan(0);
    };
    fc.assert(fc.property(soup, isReported));
  });
});
