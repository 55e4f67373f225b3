/** The examples of the pages through the parser: only syntax pages may fail there. */
import { describe, expect, it } from "vitest";
import { makeSource } from "../../dsl/diagnostics/source.ts";
import { parse } from "../../dsl/parser/parse.ts";
import { codesWithExamples, parts, readExample, readPage } from "./read-pages.ts";

describe.each(codesWithExamples())("page %s", (code) => {
  it.each(parts)("%s", (part) => {
    const expected = part === "Failing" && code.startsWith("DS00") ? [code] : [];
    const { files } = readExample(readPage(code).page, part);
    const found = [...files].flatMap(([path, text]) =>
      parse(makeSource(path, text)).diagnostics.map((one) => one.code),
    );
    expect(found).toEqual(expected);
  });
});
