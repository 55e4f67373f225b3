import { expect, test } from "vitest";
import { checkProject } from "./check-project.ts";

test("an `int` that may be 0 keeps the branch where it is 0", () => {
  const text = `block b(x: [D]) -> y: [D] {
  param r : int where r >= 0
  if r == 0 {
    weight w : [D] at "w"
    y[d] := w[d] * x[d]
  } else { y := x }
}
model m {
  config { D : dim = $.d }
  runtime T : dim in 1..4
  part p : b(r: 0) at "p"
  entry forward(x: [T, D]) -> (y: [T, D]) { y[t] := p(x[t]) }
}
`;
  const checked = checkProject({
    entry: "a.ds",
    read: (path) => (path === "a.ds" ? text : null),
    config: { path: "config.json", text: '{"d": 3}' },
  });
  expect(checked.diagnostics).toEqual([]);
  expect(checked.model?.blocks[0]?.weights.map((w) => w.tensors)).toEqual([["p.w"]]);
});
