import { expect, it } from "vitest";
import type { Code } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { sortDiagnostics } from "./sort.ts";
import { makeSource, type Source } from "./source.ts";

const a = makeSource("a.ds", "fn f(x: real) = x");
const b = makeSource("b.ds", "fn g(x: real) = x");
const one = (source: Source, start: number, end: number, code: Code, title = ""): Diagnostic => ({
  code,
  severity: "error",
  title,
  primary: { span: { source, start, end }, text: "" },
  secondary: [],
  help: null,
  fix: null,
});

it("sorts by path, position and code", () => {
  const list = [
    one(b, 0, 1, "DS0101"),
    one(a, 5, 7, "DS0101"),
    one(a, 5, 6, "DS0203"),
    one(a, 5, 6, "DS0101"),
    one(a, 2, 9, "DS0501"),
  ];
  const keys = sortDiagnostics(list).map(({ code, primary: { span } }) => `${span.source.path}:${span.start} ${code}`);
  expect(keys).toEqual(["a.ds:2 DS0501", "a.ds:5 DS0101", "a.ds:5 DS0203", "a.ds:5 DS0101", "b.ds:0 DS0101"]);
});

it("keeps the first of equal reports, and the given list as it is", () => {
  const list = [one(a, 3, 4, "DS0101", "first"), one(a, 1, 2, "DS0101"), one(a, 3, 4, "DS0101", "second")];
  expect(sortDiagnostics(list).map(({ title }) => title)).toEqual(["", "first"]);
  expect(list).toHaveLength(3);
});
