import { expect, test } from "vitest";
import { TextDocument } from "vscode-languageserver-textdocument";
import { makeSource } from "../../dsl/diagnostics/source.ts";
import { lineEdits } from "./format.ts";

test.each([
  ["", ""],
  ["a\nb\nc", "a\nB\nc"],
  ["a  :=  b\nc\nd := e\n", "a := b\nc\nd  := e\n"],
  ["a\n\n\nb", "a\n\nb"],
  ["aaa", "aa"],
  ["x", "x\n"],
])("%j becomes %j", (is, shall) => {
  const edits = lineEdits(makeSource("a.ds", is), shall);
  expect(TextDocument.applyEdits(TextDocument.create("", "", 0, is), [...edits])).toBe(shall);
});

test.each([
  ["one  \r\ntwo\r\n", "one\ntwo\n", "one\r\ntwo\r\n"],
  ["one\r\n\r\n\r\ntwo\r\n", "one\n\ntwo\n", "one\r\n\r\ntwo\r\n"],
  ["one\r\ntwo", "one\ntwo\n", "one\r\ntwo\r\n"],
])("line ends stay: %j, wanted %j", (is, wanted, shall) => {
  const edits = lineEdits(makeSource("a.ds", is), wanted);
  expect(TextDocument.applyEdits(TextDocument.create("", "", 0, is), [...edits])).toBe(shall);
});

test("unchanged lines are not touched", () => {
  const edits = lineEdits(makeSource("a.ds", "a := b\nc:=d\ne := f\n"), "a := b\nc := d\ne := f\n");
  expect(edits).toEqual([
    { range: { start: { line: 1, character: 1 }, end: { line: 1, character: 3 } }, newText: " := " },
  ]);
});
