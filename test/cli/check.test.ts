import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dsc, project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const model = `import rms_norm from "std/norm"

/// A small model.
model small {
  param twice : bool = false
  config {
    D   : dim  = $.hidden_size
    V   : dim  = $.vocab_size
    eps : real = $.eps ?? 1e-6
  }
  runtime T : dim in 1..16
  weight embed : [V, D] at "embed.weight"
  part norm : rms_norm(..) at "norm"
  entry forward(ids: [T] in V) -> logits: [T, V] {
    n[t] := norm(embed[ids[t]])
    logits[t,v] := embed[v,d] * n[t,d] * (twice ? 2 : 1)
  }
}
`;
const wrong = model.replace("norm(embed", "nrm(embed");
const config = '{ "hidden_size": 8, "vocab_size": 32 }';

test("a right file has a line that says what is in it", async () => {
  const cwd = project({ "models/small.ds": model, "config.json": config });
  const plain = await dsc(["check", "models/small.ds"], { cwd });
  expect(plain).toMatchObject({ code: 0, error: "" });
  expect(plain.out).toMatch(/^models\/small\.ds: ok, model small: 1 block, 2 weights, 1 entry/);
  const bound = await runInside(["check", "models/small.ds", "--config", "config.json", "--set", "twice=true"], cwd);
  expect(bound).toMatchObject({ code: 0, error: "" });
  expect(bound.out).toContain("2 weights (264 parameters)");
});

test("errors go to standard error, with paths as one names them from where one stands", async () => {
  const cwd = project({ "models/small.ds": model, "models/wrong.ds": wrong });
  const { code, out, error } = await runInside(["check", "wrong.ds", "small.ds"], join(cwd, "models"));
  expect(code).toBe(1);
  expect(out).toMatch(/^small\.ds: ok[^\n]*\n$/);
  expect(error).toContain("error[DS0101]");
  expect(error).toContain("─ wrong.ds:");
  expect(error).not.toContain("models/");
  expect(error).toContain("1 error");
});

test("a problem of the config is shown in the config", async () => {
  const cwd = project({ "small.ds": model, "conf/config.json": '{ "hidden_size": "eight", "vocab_size": 32 }' });
  const { code, error } = await runInside(["check", "small.ds", "--config", "conf/config.json"], cwd);
  expect(code).toBe(1);
  expect(error).toContain("error[DS0121]");
  expect(error).toContain("conf/config.json");
});

test("a checkpoint is compared", async () => {
  const tensor = (shape: readonly number[]) => ({ dtype: "BF16", shape, data_offsets: [0, 0] });
  const header = JSON.stringify({ "embed.weight": tensor([32, 9]), "norm.weight": tensor([8]) });
  const cwd = project({ "small.ds": model, "config.json": config, "header.json": header });
  const args = ["check", "small.ds", "--config", "config.json", "--weights", "header.json"];
  const { code, error } = await runInside(args, cwd);
  expect(code).toBe(1);
  expect(error).toContain("error[DS0503]");
});

test("--json is one object, and nothing else is printed", async () => {
  const cwd = project({ "small.ds": model, "wrong.ds": wrong });
  const args = ["check", "small.ds", "wrong.ds", "--json"];
  const { code, out, error } = await runInside(args, cwd);
  expect({ code, error }).toEqual({ code: 1, error: "" });
  expect(JSON.parse(out)).toMatchObject({
    ok: false,
    diagnostics: [{ code: "DS0101", path: "wrong.ds", range: { start: { line: 15 } } }],
    unproved: expect.any(Array),
    files: [
      { path: "small.ds", ok: true, model: "small", blocks: 1, weights: 2, entries: ["forward"], parameters: null },
      { path: "wrong.ds", ok: false },
    ],
  });
});

test("--captures tells what `..` took", async () => {
  const cwd = project({ "small.ds": model });
  const { code, out } = await runInside(["check", "small.ds", "--captures"], cwd);
  expect(code).toBe(0);
  expect(out).toMatch(/^small\.ds:13:24: `\.\.` of rms_norm takes .*eps/m);
});

test("what cannot be read is told apart from what is wrong", async () => {
  const cwd = project({ "small.ds": model });
  mkdirSync(join(cwd, "folder"));
  writeFileSync(join(cwd, "big.json"), "{");
  truncateSync(join(cwd, "big.json"), 64 * 1024 * 1024 + 1);
  const runs = await Promise.all(
    [
      ["check", "gone.ds"],
      ["check", "folder"],
      ["check", "small.ds", "--config", "gone.json"],
      ["check", "small.ds", "--weights", "big.json"],
    ].map((args) => runInside(args, cwd)),
  );
  expect(runs.map(({ code }) => code)).toEqual([3, 3, 3, 3]);
  expect(runs.map(({ error }) => error)).toEqual([
    "dsc: cannot read gone.ds: there is no such file\n",
    "dsc: cannot read folder: it is a folder\n",
    "dsc: cannot read gone.json: there is no such file\n",
    "dsc: cannot read big.json: it is larger than 64 MiB\n",
  ]);
});

test("imports do not leave the project", async () => {
  const outside = project({ "secret.ds": "fn secret(x: real) = x\n" });
  const up = "../".repeat(12);
  const cwd = project({
    "a.ds": `import secret from "${up}${outside.slice(1)}/secret"\n\nfn f(x: real) = secret(x)\n`,
  });
  const { code, error } = await runInside(["check", "a.ds"], cwd);
  expect(code).toBe(1);
  expect(error).toContain("error[DS0106]");
});
