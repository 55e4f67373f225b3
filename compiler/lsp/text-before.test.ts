import { expect, test } from "vitest";
import { textBefore } from "./text-before.ts";

/** The cursor stands at `¦`. */
function before(marked: string): ReturnType<typeof textBefore> {
  const at = marked.indexOf("¦");
  return textBefore(marked.replace("¦", ""), at);
}

const opens = (marked: string): readonly string[] =>
  before(marked).frames.map((frame) => `${frame.bracket}${frame.opens}`);
const heads = (marked: string): readonly (string | undefined)[] =>
  before(marked).frames.map((frame) => frame.head?.text);

test("where a cursor is", () => {
  expect(before("a := b // se¦").inside).toBe("comment");
  expect(before('import a from "std/¦"').inside).toBe("string");
  expect(before('require s == "x"¦').inside).toBe("code");
  expect(before("a := wei¦").wordStart).toBe(5);
  expect(before("a := ¦").wordStart).toBe(5);
});

test("braces know what they belong to", () => {
  expect(opens("model m {\n  ¦")).toEqual(["{model"]);
  expect(opens("model m {\n  config {\n ¦")).toEqual(["{model", "{config"]);
  expect(opens("model m {\n  entry f(x: [D]) -> y: [D] {\n ¦")).toEqual(["{model", "{entry"]);
  expect(opens("model m {\n  if a == 1 {\n ¦")).toEqual(["{model", "{if"]);
  expect(opens("block b(x: [D]) -> y: [D] {\n  near := { s in S where ¦")).toEqual(["{block", "{set"]);
  expect(opens("model m {\n  config { }\n  ¦")).toEqual(["{model"]);
  expect(opens("schedule for m {\n  phase decode {\n ¦")).toEqual(["{schedule", "{phase"]);
});

test("parentheses know what is called", () => {
  expect(heads("block b(x: [D]) -> y: [D] {\n  part a : swiglu(F: ¦")).toEqual([undefined, "swiglu"]);
  expect(heads("fn f(x: [D]) -> y: [D] {\n  a := layer[l](¦").at(-1)).toBe("layer");
  expect(heads("fn f(x: [D]) -> y: [D] {\n  a := layer[l + (¦").at(-1)).toBeUndefined();
  expect(opens("block b(x: ¦")).toEqual(["(header"]);
  expect(opens("block b(x: [D]) -> (¦")).toEqual(["(header"]);
  expect(opens("block b(x: [D]) -> y: [D] {\n param f : block?(¦")).toEqual(["{block", "(header"]);
});

test("closing brackets that were never opened do no harm", () => {
  expect(opens(")}] fn f(¦")).toEqual(["(header"]);
});
