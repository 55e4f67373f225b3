import { expect, test } from "vitest";
import { insertionsOf } from "../../compiler/cli/explicit-insertions.ts";
import { makeSource } from "../../dsl/diagnostics/source.ts";

test("brackets that meet nest, and one closes before the next opens", () => {
  const text = "ab";
  const source = makeSource("a.ds", text);
  const sum = (start: number, end: number, name: string) => ({
    kind: "sum" as const,
    span: { source, start, end },
    before: `${name}(`,
    after: ")",
  });
  const range = { kind: "range" as const, span: { source, start: 0, end: 1 }, before: "", after: "'" };
  const insertions = insertionsOf([sum(1, 2, "second"), sum(0, 1, "first"), range, sum(0, 2, "outer")]);
  let written = "";
  let at = 0;
  for (const insertion of insertions) {
    written += text.slice(at, insertion.at) + insertion.text;
    at = insertion.at;
  }
  expect(written + text.slice(at)).toBe("outer(first(a)'second(b))");
});
