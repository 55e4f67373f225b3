import { describe, expect, it } from "vitest";
import { makeSource } from "../diagnostics/source.ts";
import { readTokens } from "./read-tokens.ts";
import { contextualWords, keywords } from "./tokens.ts";

const read = (text: string) => readTokens(makeSource("a.ds", text));
const words = (text: string): readonly string[] => read(text).tokens.map(({ image }) => image);
const reports = (text: string) =>
  read(text).diagnostics.map(({ code, primary }) => [code, primary.span.start, primary.span.end]);

describe("tokens", () => {
  it.each([
    ["1..9", ["1", "..", "9"]],
    ["1e-20 0.5 10000 2E3", ["1e-20", "0.5", "10000", "2E3"]],
    ["1.e5", ["1", ".", "e5"]],
    ["a<-b", ["a", "<-", "b"]],
    ["a < -b", ["a", "<", "-", "b"]],
    ["x?? y?z", ["x", "??", "y", "?", "z"]],
    [":= : -> - == =", [":=", ":", "->", "-", "==", "="]],
    ["_ _a a_", ["_", "_a", "a_"]],
    ["int integer part parts in inner", ["int", "integer", "part", "parts", "in", "inner"]],
    ['"a \\" b" "c"', ['"a \\" b"', '"c"']],
    ["\uFEFFfn\r\nx", ["fn", "x"]],
  ])("%j", (text, expected) => {
    expect(words(text)).toEqual(expected);
    expect(read(text).diagnostics).toEqual([]);
  });

  it("reserves no word that the grammar can do without", () => {
    for (const free of [
      "position",
      "token",
      "size",
      "sample",
      "iterate",
      "score",
      "chat",
      "sum",
      "inf",
      ...contextualWords,
    ]) {
      expect(keywords).not.toContain(free);
      expect(read(free).tokens.map(({ tokenType }) => tokenType.name)).toEqual(["Name"]);
    }
  });

  it("reads every keyword as one, and as a part of a longer name not", () => {
    for (const keyword of keywords) {
      expect(read(keyword).tokens.map(({ tokenType }) => tokenType.name)).toEqual([`Keyword_${keyword}`]);
      expect(read(`${keyword}_a`).tokens.map(({ tokenType }) => tokenType.name)).toEqual(["Name"]);
    }
  });
});

describe("what is no token", () => {
  it.each([
    ["a & b", [["DS0003", 2, 3]]],
    [
      "a §§é b §",
      [
        ["DS0003", 2, 5],
        ["DS0003", 8, 9],
      ],
    ],
    ["𝛼", [["DS0003", 0, 2]]],
    ['at "abc\nx', [["DS0009", 3, 7]]],
    ['"a\\"', [["DS0009", 0, 4]]],
  ])("%j", (text, expected) => {
    expect(reports(text)).toEqual(expected);
  });

  it("says what to write instead", () => {
    expect(read("a && b").diagnostics[0]?.help).toBe("write `and`");
  });
});

describe("comments", () => {
  it("are kept with their place", () => {
    const { comments } = read("// a\n  /// b\nx // c\r\n//");
    expect(comments.map(({ text, trailing, span }) => [text, trailing, span.start])).toEqual([
      ["// a", false, 0],
      ["/// b", false, 7],
      ["// c", true, 15],
      ["//", false, 21],
    ]);
  });

  it("do not begin in a string", () => {
    expect(read('"http://x" // c').comments.map(({ text }) => text)).toEqual(["// c"]);
  });
});
