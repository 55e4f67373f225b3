import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { makeSource, positionAt, type Span } from "../diagnostics/source.ts";
import { parse } from "./parse.ts";

const where = (span: Span): string => {
  const { line, column } = positionAt(span.source, span.start);
  return `${line}:${column}`;
};

const show = ({ code, title, primary, secondary, help }: Diagnostic): string =>
  [
    `${code} ${where(primary.span)} ${title}: ${primary.text}`,
    ...secondary.map(({ span, text }) => `${where(span)} ${text}`),
    ...(help === null ? [] : [help]),
  ].join(" / ");

const errors = (text: string): readonly string[] => parse(makeSource("a.ds", text)).diagnostics.map(show);

/** Of the lines of a body: positions count from its first line, 1. */
const inBody = (body: string): readonly string[] => errors(`block b(x: [D]) -> y: [D] {${body}\n}\n`);

describe("unexpected tokens (DS0001)", () => {
  it.each([
    ["\n  y := x[]", ["DS0001 2:10 unexpected `]`: an index should stand here"]],
    ["\n  v : [] := x", ["DS0001 2:8 unexpected `]`: a size or an index should stand here"]],
    ["\n  y[t] := a + ] * b[t]\n  z := 1", ["DS0001 2:15 unexpected `]`: a value should stand here"]],
    ["\n  y a := 3", ["DS0001 2:5 unexpected `a`: `:=` or `<-` after the target should stand here"]],
    ["\n  y := a +\n  z := b\n  w := 1", ["DS0001 2:10 unexpected end of line: a value should stand after `+`"]],
    ["\n  y := f(a, )", ["DS0001 2:13 unexpected `)`: an argument should stand here"]],
    ["\n  y := a)", ["DS0001 2:9 unexpected `)`: no bracket is open here"]],
    ["\n  param x dim", ["DS0001 2:11 unexpected `dim`: `:` and a type should stand here"]],
    ["\n  if a > {\n    y := 1\n  }", ["DS0001 2:10 unexpected `{`: a condition should stand here"]],
    ["\n  y := a = b", ["DS0001 2:10 unexpected `=`: a comparison is `==` / write `a == b`"]],
    ["\n  y := 1..2..3", ["DS0001 2:12 unexpected `..`: a range has two ends"]],
    ["\n  config { }\n  y := x", ["DS0001 2:3 unexpected `config`: `config` stands directly in a model"]],
    ["\n  override y := x", ["DS0001 2:3 unexpected `override`: only what a model declares can be overridden"]],
    ["\n  y := a * not b", ["DS0001 2:12 unexpected `not`: `not` binds looser than `*`: put it in parentheses"]],
    [
      "\n  weight w : [O]\n  y := 2",
      ['DS0001 2:17 unexpected end of line: `at` and the name of a tensor, such as `at "weight"`, should stand here'],
    ],
  ])("%j", (body, expected) => {
    expect(inBody(body)).toEqual(expected);
  });

  it.each([
    ["fn f(x: real) =", ["DS0001 1:16 unexpected end of file: a value should stand here"]],
    ["fn f(x real) = x", ["DS0001 1:8 unexpected `real`: `:` and a type should stand here"]],
    ['import a, from "x"', ["DS0001 1:11 unexpected `from`: a name should stand here"]],
    ['weight w : [D] at "x"', ["DS0001 1:1 unexpected `weight`: `weight` stands inside a declaration"]],
  ])("%j", (text, expected) => {
    expect(errors(text)).toEqual(expected);
  });

  it("guesses the declaration that was meant", () => {
    expect(errors("modle m {\n}\n")[0]).toMatch(/unexpected `modle`.*write `model`$/);
  });
});

describe("brackets (DS0002)", () => {
  it("names the open bracket and where it was missed", () => {
    expect(inBody("\n  y := f(a, b\n  z := g(c)")).toEqual([
      "DS0002 2:9 `(` is not closed: this bracket has no `)` / 2:14 `)` is missing here, at the latest",
    ]);
  });

  it("finds the brace that is missing by its indentation", () => {
    const text =
      "block a(x: [D]) -> y: [D] {\n  if c {\n    y := 1\n  z := 2\n}\nblock b(x: [D]) -> y: [D] {\n  y := x\n}\n";
    expect(errors(text)).toEqual([
      "DS0002 2:8 `{` is not closed: this bracket has no `}` / 5:1 `}` is missing before this one, which closes a bracket further out",
    ]);
  });

  it("reports an open body once, at the end of the file", () => {
    expect(errors("model m {\n  config {\n    D : dim = $.d\n")).toEqual([
      "DS0002 2:10 `{` is not closed: this bracket has no `}` / 3:18 `}` is missing here, at the latest",
    ]);
  });
});

describe("the other codes", () => {
  it.each([
    [
      "\n  y := a & b",
      ["DS0003 2:10 unknown character `&`: this belongs to no word or sign of the language / write `and`"],
    ],
    ["\n  y := 1e999", ["DS0004 2:8 number out of range: greater than any 64-bit floating-point number / write `inf`"]],
    [
      "\n  param state : dim",
      ["DS0005 2:9 `state` is a keyword: a name should stand here / choose another name, such as `state_of`"],
    ],
    [
      "\n  state := x\n  y := a * text",
      [
        "DS0005 2:3 `state` is a keyword: a name should stand here / choose another name, such as `state_of`",
        "DS0005 3:12 `text` is a keyword: a name should stand here / choose another name, such as `text_of`",
      ],
    ],
    ["\n  y := a < b <= c", ["DS0006 2:14 comparisons do not chain: a second comparison / write `a < b and b <= c`"]],
    ["\n  y := a <-b", ["DS0007 2:10 `<-` inside an expression: this writes a state / write `a < -b`"]],
    ['\n  weight w : [O] at "abc\n  y := 2', ['DS0009 2:21 string is not closed: no `"` before the end of the line']],
  ])("%j", (body, expected) => {
    expect(inBody(body)).toEqual(expected);
  });

  it("gives fixes that mend the text", () => {
    for (const slip of ["a < b < c", "a <-b", "a = b"]) {
      const text = `fn f(x: real) = ${slip}`;
      const fix = parse(makeSource("a.ds", text)).diagnostics[0]?.fix ?? null;
      expect(fix, slip).not.toBeNull();
      if (fix === null) continue;
      const mended = text.slice(0, fix.span.start) + fix.replacement + text.slice(fix.span.end);
      expect(errors(mended), mended).toEqual([]);
    }
  });
});

describe("recovery", () => {
  it("reports every slip of a file, each once", () => {
    const text = [
      "block b(x: [T D]) -> y: [D] {",
      "  y := 1 +* 2",
      "  if c {",
      "    z := )",
      "  }",
      "  w := {}",
      "}",
      "fn f(x real) = x",
      "model m {",
      "  config {",
      "    D dim = $.x",
      "    E : dim $.y",
      "  }",
      "  loop x = a",
      "}",
    ].join("\n");
    expect(errors(text).map((error) => error.split(" ")[1])).toEqual([
      "1:15",
      "2:11",
      "4:10",
      "6:9",
      "8:8",
      "11:7",
      "12:13",
      "14:13",
    ]);
  });

  it("keeps what stands around a slip, and the name of what is broken", () => {
    const { file } = parse(
      makeSource("a.ds", "block b(x: [D]) -> y: [D] {\n  a := 1\n  b := ]\n  c := 2\n}\nfn f(x: real) = x"),
    );
    const block = file.declarations[0];
    expect(file.declarations.map(({ kind }) => kind)).toEqual(["block", "fn"]);
    if (block?.kind !== "block") throw new Error("no block");
    const equations = block.items.flatMap((item) => (item.kind === "equation" ? [item] : []));
    expect(equations.map(({ targets, value }) => [targets[0]?.name.text, value.kind])).toEqual([
      ["a", "number"],
      ["b", "error"],
      ["c", "number"],
    ]);
  });
});
