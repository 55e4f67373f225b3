import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readXml, shownText } from "./read-xml.ts";
import { dsc, project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const model = `import swiglu from "std/linear"

model stack {
  config {
    D : dim = $.d
    F : dim = $.f
    L : dim = $.l
  }
  runtime T : dim in 1..16
  part layer[l in L] : swiglu(F: F) at "layers.{l}"
  entry forward(x: [T, D]) -> y: [T, D] {
    h[0,t]     := x[t]
    h[l + 1,t] := layer[l](h[l,t])
    y          := h[L]
  }
}
`;
const config = '{ "d": 8, "f": 16, "l": 5 }';

test("the tree goes to standard output, the picture to its file", async () => {
  const cwd = project({ "stack.ds": model, "config.json": config });
  const { code, out, error } = await dsc(["graph", "stack.ds", "--config", "config.json", "--svg", "o.svg"], { cwd });
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toMatch(/^model stack\n/);
  expect(out).toContain("layer x 5 (l): swiglu  1.92 K");
  expect(out).toContain("total: 1,920 parameters");
  const svg = readXml(readFileSync(join(cwd, "o.svg"), "utf8"));
  expect(svg.attributes.get("viewBox")).toMatch(/^0 0 1200 \d+$/);
  expect(shownText(svg)).toContain("× 5");
});

test("without a config sizes keep their names", async () => {
  const cwd = project({ "stack.ds": model });
  const { code, out } = await runInside(["graph", "stack.ds"], cwd);
  expect(code).toBe(0);
  expect(out).toContain("layer x L (l in L): swiglu");
  expect(out).toContain("total: not known without a config");
});

test("`--svg -` is the picture alone, the same bytes each time", async () => {
  const cwd = project({ "stack.ds": model });
  const [a, b] = await Promise.all([1, 2].map(() => dsc(["graph", "stack.ds", "--svg", "-"], { cwd })));
  expect(readXml(a?.out ?? "").name).toBe("svg");
  expect(b).toEqual(a);
  expect(await runInside(["graph", "stack.ds", "--svg", "-", "--json"], cwd)).toMatchObject({ code: 2, out: "" });
});

test("--json is the model as the checker knows it", async () => {
  const cwd = project({ "stack.ds": model, "config.json": config });
  const { out } = await runInside(["graph", "stack.ds", "--config", "config.json", "--json"], cwd);
  expect(JSON.parse(out)).toMatchObject({
    parameters: 1920,
    optionalParameters: 0,
    model: { name: "stack", bound: true },
  });
});

test("what cannot be shown or written is said", async () => {
  const cwd = project({ "none.ds": "fn f(x: real) = x\n", "stack.ds": model, "wrong.ds": "fn f(x: real) = y\n" });
  const runs = await Promise.all(
    [["none.ds"], ["wrong.ds"], ["stack.ds", "--svg", "no/such/o.svg"]].map((args) =>
      runInside(["graph", ...args], cwd),
    ),
  );
  expect(runs.map(({ code, out }) => [code, out])).toEqual([
    [1, ""],
    [1, ""],
    [3, ""],
  ]);
  expect(runs[0]?.error).toContain("none.ds has no model to show");
  expect(runs[1]?.error).toContain("error[DS0101]");
  expect(runs[2]?.error).toContain("cannot write no/such/o.svg: there is no such file");
});
