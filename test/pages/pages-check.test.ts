/** The examples of the pages through the whole checker: what fails gives its code alone, what is repaired gives nothing. */
import { describe, expect, it } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import type { Diagnostic } from "../../dsl/diagnostics/diagnostic.ts";
import type { Example } from "../../dsl/diagnostics/page.ts";
import { renderAll } from "../../dsl/diagnostics/render-text.ts";
import { codesWithExamples, readExample, readLibrary, readPage } from "./read-pages.ts";

function check({ entry, files, config, weights }: Example): readonly Diagnostic[] {
  return checkProject({
    entry,
    read: (path) => files.get(path) ?? readLibrary(path),
    ...(config === null ? {} : { config: { path: "config.json", text: config } }),
    ...(weights === null ? {} : { weights: { path: "weights.json", text: weights } }),
  }).diagnostics;
}

describe.each(codesWithExamples())("page %s", (code) => {
  it("fails with this code and no other error", () => {
    const found = check(readExample(readPage(code).page, "Failing"));
    const errors = found.filter((one) => one.code === code || one.severity === "error").map((one) => one.code);
    expect(errors, renderAll(found, { colour: false })).toEqual([code]);
  });

  it("is repaired", () => {
    const found = check(readExample(readPage(code).page, "Repaired"));
    expect(renderAll(found, { colour: false })).toBe("");
  });
});
