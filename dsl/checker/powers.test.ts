import { expect, test } from "vitest";
import { checkProject } from "./check-project.ts";

const check = (condition: string, D: number): readonly string[] => {
  const text = `block b(x: [D]) -> y: [D] {
  require ${condition}
  weight w : [D] at "w"
  y[d] := w[d] * x[d]
}
model m {
  config { D : dim = $.d }
  runtime T : dim in 1..4
  part p : b(..) at "p"
  entry forward(x: [T, D]) -> (y: [T, D]) { y[t] := p(x[t]) }
}
`;
  const { diagnostics } = checkProject({
    entry: "a.ds",
    read: (path) => (path === "a.ds" ? text : null),
    config: { path: "config.json", text: JSON.stringify({ d: D }) },
  });
  return diagnostics.map((d) => d.code);
};

// A condition that nobody could evaluate would be passed over.
test.each([
  ["2^4 mod D == 0", 12, ["DS0123"]],
  ["2^4 mod D == 0", 8, []],
  ["D^2 < 100", 10, ["DS0124"]],
  ["D^2 < 100", 9, []],
  ["D^0 == 1", 7, []],
  ["2^-1 < 1", 7, []],
  ["2^63 mod D == 0", 3, ["DS0123"]],
] as const)("require %s, with D = %i", (condition, D, codes) => {
  expect(check(condition, D)).toEqual(codes);
});
