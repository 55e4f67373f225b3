import { describe, expect, it } from "vitest";
import { makeSource } from "../diagnostics/source.ts";
import { formatSource, formatWithInsertions } from "./format.ts";

function formatted(text: string): string {
  const { text: result, diagnostics } = formatSource(makeSource("a.ds", text));
  expect(diagnostics).toEqual([]);
  return result;
}

/** The lines of the body of a block that holds `body`, without their first indentation. */
function body(text: string): readonly string[] {
  const lines = formatted(`block b(x: [D]) -> y: [D] {\n${text}\n}\n`).split("\n");
  return lines.slice(1, -2).map((line) => line.replace(/^ {2}/, ""));
}

describe("expressions", () => {
  it.each([
    ["a+b*-c ^ 2", "a + b * -c^2"],
    ["a ^ - 0.5", "a^-0.5"],
    ["not a==b", "not a == b"],
    ["a<b and -c>=d", "a < b and -c >= d"],
    ["1 .. 9", "1..9"],
    ["1..T-1", "1 .. T - 1"],
    ["x[ t , d ]", "x[t,d]"],
    ["x[c,i+u-1,j]", "x[c, i + u - 1, j]"],
    ["x[( h,_ ),r]", "x[(h,_),r]"],
    ["x[(i in A,j in B),c]", "x[(i in A, j in B), c]"],
    ["a[t,s where s<=pos[t]]", "a[t,s where s <= pos[t]]"],
    ["linear(O:(G,M,K),bias : true,..)", "linear(O: (G, M, K), bias: true, ..)"],
    ["(a|b|c)", "(a | b | c)"],
    ["{1,14}", "{1, 14}"],
    ["{ s in S where s<=p }", "{ s in S where s <= p }"],
    ["{f(j) for j in K}", "{ f(j) for j in K }"],
    ["c?a:b", "c ? a : b"],
    ["( x[c] else 0 )", "(x[c] else 0)"],
    ["((a)) as in D", "((a)) as in D"],
    ['$ . a . type ?? "a\\"b"', '$.a.type ?? "a\\"b"'],
    ["- -a", "--a"],
    ["1.e5", "1.e5"],
  ])("%s", (text, expected) => {
    expect(body(`y := ${text}`)).toEqual([`y := ${expected}`]);
  });

  it("break before the loosest operators", () => {
    const long = Array.from({ length: 9 }, (_, i) => `a_long_enough_name_${i}`);
    const lines = body(`y := ${long.join("*b+")}`);
    expect(lines[0]).toBe("y := a_long_enough_name_0 * b");
    expect(lines.slice(1, -1).every((line) => /^ {4}\+ a_long_enough_name_\d \* b$/.test(line))).toBe(true);
  });

  it("fill argument lists", () => {
    const names = Array.from({ length: 12 }, (_, i) => `an_argument_${i}`);
    expect(body(`y := f(${names.join(",")})`)).toEqual([
      "y := f(",
      `    ${names.slice(0, 7).join(", ")},`,
      `    ${names.slice(7).join(", ")})`,
    ]);
  });

  it("keep cases on lines of their own where they were", () => {
    expect(body("y := k == 1 ? a\n : k == 20 ? b\n : c")).toEqual(["y := k == 1  ? a", "   : k == 20 ? b", "   : c"]);
    expect(body("y := k == 1 ? a : k == 20 ? b : c")).toEqual(["y := k == 1 ? a : k == 20 ? b : c"]);
    expect(body("yy := k == 1 ? a\n : b")).toEqual(["yy := k == 1 ? a", "             : b"]);
  });
});

describe("lines", () => {
  it("align with neighbours of their kind", () => {
    expect(
      body(
        [
          "param a : dim = 1",
          "param abc : real",
          "param ab : real = 2 where ab > 0",
          'weight w : [D] f32 at "w"',
          'weight gate : [D, E] at "g" or "gg"',
          'part n : norm(..)     at "n"',
          "y[t] := a",
          "state[t] := b".replace("state", "yy"),
        ].join("\n"),
      ),
    ).toEqual([
      "param a   : dim  = 1",
      "param abc : real",
      "param ab  : real = 2 where ab > 0",
      'weight w    : [D] f32 at "w"',
      'weight gate : [D, E]  at "g" or "gg"',
      'part n : norm(..)     at "n"',
      "y[t]  := a",
      "yy[t] := b",
    ]);
  });

  it("name tensors that a storage format is not for", () => {
    const [, long, short] = formatted(
      'model m {\nstorage e4m3 as f( B:1 ) not  at "*.a","b.*"\nstorage i8 as rows\n}',
    ).split("\n");
    expect([long, short]).toEqual(['  storage e4m3 as f(B: 1) not at "*.a", "b.*"', "  storage i8 as rows"]);
  });

  it("do not align over blank lines, comments or great distances", () => {
    expect(body("a := 1\n\nbb := 2\n// c\nccc := 3\nd_long_enough_name[t] := 4")).toEqual([
      "a := 1",
      "",
      "bb := 2",
      "// c",
      "ccc := 3",
      "d_long_enough_name[t] := 4",
    ]);
  });

  it("keep one blank line and none at the ends of a body", () => {
    expect(body("\n\na := 1\n\n\n\nb := 2\n\n")).toEqual(["a := 1", "", "b := 2"]);
  });

  it("keep a branch on one line if it was there and fits", () => {
    expect(body("if abc { y := 1 } else { y := 2 }")).toEqual(["if abc { y := 1 }", "else   { y := 2 }"]);
    expect(body("if abc {\n y := 1 } else { y := 2 }")).toEqual(["if abc {", "  y := 1", "} else {", "  y := 2", "}"]);
    expect(body("if a { y := 1 z := 2 }")).toEqual(["if a {", "  y := 1", "  z := 2", "}"]);
  });

  it("break long headers", () => {
    const names = Array.from({ length: 4 }, (_, i) => `a_long_enough_name_${i}: [T, D]`).join(", ");
    const text = formatted(`fn f(${names}) -> y: [D] { y := x }`);
    expect(text.startsWith("fn f(\n    a_long_enough_name_0: [T, D], ")).toBe(true);
    expect(text.split("\n").every((line) => line.length <= 120)).toBe(true);
  });

  it("end with a line break, and an empty file is empty", () => {
    expect(formatted("fn f(x: real) = x")).toBe("fn f(x: real) = x\n");
    expect(formatted(" \n\n")).toBe("");
  });
});

describe("comments", () => {
  it("trail at one column where there is room", () => {
    const [line] = body("y := 1 // c");
    expect(line).toBe(`${"y := 1".padEnd(59)}// c`);
  });

  it("stay where they stand in expressions and lists", () => {
    expect(body("y := f(a, // one\n b // two\n )\n + c // three")).toEqual([
      "y := f(",
      "    a,  // one",
      "    b  // two",
      "    )",
      `    + c${" ".repeat(52)}// three`,
    ]);
  });

  it("stay between `}` and `else`, and before a closing brace", () => {
    expect(body("if a {\n y := 1 } // one\n // two\n else { y := 2\n // three\n }")).toEqual([
      "if a {",
      "  y := 1",
      "}  // one",
      "// two",
      "else {",
      "  y := 2",
      "  // three",
      "}",
    ]);
  });
});

describe("formatSource", () => {
  it("leaves a text with syntax errors as it is", () => {
    const text = "fn  f(x: real)  =  ]";
    const { text: result, diagnostics } = formatSource(makeSource("a.ds", text));
    expect([result, diagnostics.map(({ code }) => code)]).toEqual([text, ["DS0001"]]);
  });
});

describe("formatWithInsertions", () => {
  it("puts the texts in before it formats", () => {
    const source = makeSource("a.ds", "fn f(x: [D]) -> y: real { y := x[d] * x[d] }");
    const at = source.text.indexOf("x[d]");
    const end = source.text.indexOf(" }");
    const { text } = formatWithInsertions(source, [
      { at: end, text: ")" },
      { at, text: "sum" },
      { at, text: "[d](" },
    ]);
    expect(text).toBe("fn f(x: [D]) -> y: real {\n  y := sum[d](x[d] * x[d])\n}\n");
  });
});
