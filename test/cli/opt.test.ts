import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dsc, project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const chain = `graph @chain {
  size D = 256
  size R = 16
  size T in 1..64
  %x : f32[T, D] = input
  %a : f32[R, D] = weight
  %b : f32[D, R] = weight
  %h : f32[T, R] = map [t, r] sum[d: D](%x[t, d] * %a[r, d])
  %y : f32[T, D] = map [t, d] sum[r: R](%b[d, r] * %h[t, r])
  return %y
}
`;

const model = `model pair {
  config { D : dim = $.d }
  runtime T : dim in 1..16
  weight w : [D, D] at "w"
  entry forward(ids: [T] in D) -> (logits: [T, D]) { logits[t,o] := w[o,i] * w[i,ids[t]] }
}
`;

test("a printed graph goes in, a pass is run, the graph comes out as it can be read back", async () => {
  const cwd = project({ "chain.dsg": chain });
  const { code, out, error } = await dsc(["opt", "--pass=fuse", "--out", "out.dsg", "chain.dsg"], { cwd });
  expect({ code, out, error }).toEqual({ code: 0, out: "", error: "" });
  const again = await runInside(["opt", "--pass=simplify-indices", "out.dsg"], cwd);
  expect(again.out).toBe(readFileSync(join(cwd, "out.dsg"), "utf8"));
  expect(again.out).toContain("%y : f32[T, D] = map");
});

test("of a model every step is shown; decisions are told behind them", async () => {
  const cwd = project({ "pair.ds": model, "config.json": '{"d": 8}' });
  const args = [
    "opt",
    "pair.ds",
    "--config",
    "config.json",
    "--print-after=elaborate",
    "--print-after=fuse",
    "--report",
  ];
  const { code, out } = await runInside(args, cwd);
  expect(code).toBe(0);
  expect(out.match(/^\/\/ after \S+/gm)).toEqual(["// after elaborate", "// after fuse"]);
  expect(out).toContain("%ids : i32[T] = input");
});

test.each([
  [["--pass=fusee"], /no such pass.*did you mean `fuse`/s],
  [["--print-after=nothing"], /--print-after nothing: there is no such pass/],
  [["--size", "Q=1"], /the graph has no size `Q`/],
  [["--size", "T"], /expected NAME=number/],
  [["--size", "T=0"], /no such `T`\n\s+it is in 1\.\./],
  [["--phase", "dekode"], /there is decode, verify, prefill/],
  [["--target", "tpu"], /there is gpu, cpu/],
])("%j is refused with what there is", async (args, message) => {
  const cwd = project({ "chain.dsg": chain });
  const { code, error } = await runInside(["opt", "chain.dsg", ...args], cwd);
  expect(code).toBe(2);
  expect(error).toMatch(message);
});

test("a graph that cannot be read, or breaks a rule of graphs, is refused with its place", async () => {
  const cwd = project({
    "bad.dsg": chain.replace("%x[t, d]", "%z[t, d]"),
    "wide.dsg": chain.replace("%a[r, d]", "%a[r, d + D]"),
  });
  const bad = await runInside(["opt", "bad.dsg"], cwd);
  expect(bad.code).toBe(1);
  expect(bad.error).toMatch(/bad\.dsg:8:\d+: /);
  const wide = await runInside(["opt", "wide.dsg"], cwd);
  expect(wide.code).toBe(1);
  expect(wide.error).toContain("%h");
});
