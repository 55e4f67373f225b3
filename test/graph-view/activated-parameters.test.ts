import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { parameterTable } from "../../dsl/graph-view/parameter-rows.ts";

const library = (path: string): string | null =>
  path.startsWith("std/") ? readFileSync(new URL(`../../dsl/stdlib/${path.slice(4)}`, import.meta.url), "utf8") : null;

function totalOf(text: string) {
  const project = checkProject({ entry: "a.ds", read: (path) => (path === "a.ds" ? text : library(path)) });
  expect(project.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  if (project.model === null) throw new Error("no model");
  return parameterTable(project.model, project, "bf16").total;
}

describe("members that a call uses: 3 of 8 experts with 4 · 4 weights, beside a router of 8 · 4", () => {
  const expert = 'block expert_of(x: [D]) -> y: [D] {\n  weight w : [D, D] at "w"\n  y[i] := w[i,d] * x[d]\n}\n';
  const modelOf = (inner: string, parameters = "E: 8, K: 3"): string =>
    `model m {
  param D : dim = 4
  part body : inner(${parameters}) at "body"
  entry f(x: [D]) -> y: [D] {
    y := body(x)
  }
}
${expert}
${inner}`;
  const inner = (router: string, sum: string, more = ""): string =>
    `block inner(x: [D]) -> y: [D] {
  param E : dim
  param K : int where K <= E
  weight w_gate : [E, D] at "gate"
  part expert[e in E] : expert_of() at "experts.{e}"
  s := w_gate[_,d] * x[d]
${router}
  ${sum}
}
${more}`;
  const weighted = "y := w[e] * expert[e](x)";
  const rows: readonly (readonly [what: string, text: string, used: number])[] = [
    ["a set in place", modelOf(inner("  w[e in top(s, K)] := s[e]", weighted)), 3],
    ["a set with a name", modelOf(inner("  pick := top(s, K)\n  w[e in pick] := s[e]", weighted)), 3],
    ["a range that is written", modelOf(inner("", "y := sum[e in top(s, K)](s[e] * expert[e](x))")), 3],
    ["values of a small set", modelOf(inner("  w[e in { (3 * j) mod E for j in K }] := s[e]", weighted)), 3],
    [
      "what a part gives",
      modelOf(
        inner(
          '  part gate : gate_of(..) at "g"\n  w := gate(s)',
          weighted,
          "block gate_of(s: [E]) -> w: [K of E] {\n  param K : int\n  w[e in top(s, K)] := s[e]\n}\n",
        ),
      ),
      3,
    ],
    ["a condition, which bounds nothing", modelOf(inner("  w[e where e <= 2] := s[e]", weighted)), 8],
    ["no restriction", modelOf(inner("", "y := s[e] * expert[e](x)")), 8],
    ["more than there are", modelOf(inner("  w[e in top(s, K)] := s[e]", weighted), "E: 8, K: 8"), 8],
  ];
  test.each(rows)("%s", (_what, text, used) => {
    expect(totalOf(text)).toEqual({ all: 8 * 16 + 32, activated: used * 16 + 32, embedding: 0 });
  });
});

describe("how a weight is read", () => {
  const modelOf = (declarations: string, equations: string): string =>
    `model m {
  param D : dim = 4
  param V : dim = 10
  param A : dim = 2
  runtime T : dim in 1..16
  weight embed : [V, D] at "embed"
${declarations}
  entry f(ids: [T] in V) -> (y: [T, D], z: [T, V]) {
${equations}
  }
}
`;
  const rows: readonly (readonly [what: string, declarations: string, equations: string, all: readonly number[]])[] = [
    [
      "rows that an input names",
      '  weight head : [V, D] at "head"',
      "    y[t] := embed[ids[t]]\n    z[t,v] := head[v,d] * y[t,d]",
      [80, 80, 40],
    ],
    [
      "rows, and all of it",
      "  head := embed",
      "    y[t] := embed[ids[t]]\n    z[t,v] := head[v,d] * y[t,d]",
      [40, 40, 0],
    ],
    [
      "rows at a computed place",
      '  weight table : [V, D] at "table"',
      "    row[t]  := (ids[t] * 7) mod V\n    y[t]    := embed[ids[t]] + table[row[t]]\n    z[t,v] := y[t,0]",
      [80, 40, 40],
    ],
    [
      "rows of two side by side",
      '  weight more : [A, D] at "more"',
      "    y[t] := (embed | more)[ids[t]]\n    z[t,v] := y[t,0]",
      [48, 48, 48],
    ],
  ];
  test.each(rows)("%s", (_what, declarations, equations, [all, activated, embedding]) => {
    expect(totalOf(modelOf(declarations, equations))).toEqual({ all, activated, embedding });
  });
});
