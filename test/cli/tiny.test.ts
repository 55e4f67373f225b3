import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { dsc, project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const model = `import rms_norm from "std/norm"
import swiglu from "std/linear"

block routed(x: [D], id: in V) -> y: [D] {
  param E, K, F : dim where K <= E
  weight chosen : [V, K] in E at "chosen"
  weight scale  : [E] f32     at "scale"
  weight shift  : [D]         at "shift"
  part expert[e in E] : swiglu(F: F) at "experts.{e}"
  w[e in { chosen[id,j] for j in K }] := 2 * scale[e]
  y := w[e] * expert[e](x) + shift
}

model stack {
  config {
    D     : dim = $.width
    L     : dim = $.depth
    V     : dim = $.words
    E     : dim = $.experts
    K     : int = $.used
    F     : dim = $.inner
    P     : dim = $.turned
    W     : dim = $.looked where W > P
    kinds : [L + 1] int = $.kinds
    eps   : real = $.eps
  }
  runtime T : dim in 1..16
  weight embed : [V, D] at "embed.weight" copy at "layers.{L}.embed.weight"
  part layer[l in L] : routed(E: E + kinds[l], K: K, F: F) at "layers.{l}"
  optional part extra : rms_norm(eps: eps) at "extra"
  entry forward(ids: [T] in V) -> logits: [T, V] {
    h[0,t]      := embed[ids[t]]
    h[l + 1,t]  := layer[l](h[l,t], ids[t])
    logits[t,v] := embed[v,d] * h[L,t,d]
  }
  entry more(x: [D]) -> y: [D] {
    y := extra(x)
  }
}
`;
const config = `{
  "width": 4096, "depth": 40, "words": 100000, "experts": 64, "used": 6, "inner": 11008, "turned": 64,
  "looked": 96, "eps": 1e-06, "heads_elsewhere": 4096, "names": [${Array.from({ length: 40 }, () => '"a"').join(", ")}],
  "kinds": [0, ${Array.from({ length: 39 }, () => 8).join(", ")}, 16], "long": 12345678901234567890
}
`;
const files = { "stack.ds": model, "config.json": config };
const tiny = ["tiny", "stack.ds", "--config", "config.json"];
const read = (cwd: string, folder: string, name: string): Buffer => readFileSync(join(cwd, folder, name));

test("a twin has small sizes that the text accepts, and every tensor that it maps", async () => {
  const cwd = project(files);
  const { code, out, error } = await dsc([...tiny, "--out", "twin"], { cwd });
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toMatch(/^width: 4096 -> 32\ndepth: 40 -> 4\n/);
  expect(out).toMatch(/\ntwin: stack, \d+ tensors, [\d.]+ K parameters, seed 0\n$/);
  const text = read(cwd, "twin", "config.json").toString();
  expect(JSON.parse(text)).toMatchObject({
    ...{ width: 32, depth: 4, words: 128, experts: 4, used: 2, inner: 64, eps: 1e-6 },
    heads_elsewhere: 32, // not read by the text, but it was as large as `width`
    names: ["a", "a", "a", "a"], // one a layer
    kinds: [0, 8, 8, 8, 16], // each kind is there, the last stays the last
  });
  expect(text).toContain("12345678901234567890");
  const { turned, looked } = JSON.parse(text);
  expect(looked).toBeGreaterThan(turned);

  const weights = await openWeights(join(cwd, "twin"));
  try {
    const header = Object.fromEntries([...weights.tensors].map(([n, { dtype, shape }]) => [n, { dtype, shape }]));
    writeFileSync(join(cwd, "header.json"), JSON.stringify(header));
    const checked = await dsc(["check", "stack.ds", "--config", "twin/config.json", "--weights", "header.json"], {
      cwd,
    });
    expect(checked).toMatchObject({ code: 0, error: "" });
    expect(header["layers.3.experts.11.w1.weight"] ?? header["layers.3.experts.11.gate_proj.weight"]).toMatchObject({
      dtype: "F32",
    });
    expect(header["layers.4.embed.weight"]).toEqual({ dtype: "F32", shape: [128, 32] });

    expect(await weights.read("layers.4.embed.weight")).toEqual(await weights.read("embed.weight"));
    expect((await weights.read("extra.weight")).every((v) => Math.abs(v - 1) <= 0.25)).toBe(true);
    expect((await weights.read("layers.0.scale")).every((v) => Math.abs(v - 1) <= 0.25)).toBe(true);
    expect((await weights.read("layers.0.shift")).every((v) => Math.abs(v) <= 0.5)).toBe(true);
    const chosen = [...(await weights.read("layers.0.chosen"))];
    expect(header["layers.0.chosen"]?.dtype).toBe("I64");
    expect(chosen.every((e) => Number.isInteger(e) && e >= 0 && e < 4)).toBe(true);
    for (let i = 0; i < chosen.length; i += 2) expect(chosen[i]).not.toBe(chosen[i + 1]);
  } finally {
    await weights.close();
  }
});

test("the same input gives the same bytes; seed, type and sizes change them", async () => {
  const cwd = project(files);
  for (const [folder, ...more] of [
    ["a"],
    ["b"],
    ["c", "--seed", "7"],
    ["d", "--dtype", "bf16"],
    ["e", "--dim", "width=8", "--dim", "eps=1e-3"],
  ]) {
    const run = await runInside([...tiny, "--out", folder ?? "", ...more], cwd);
    expect(run).toMatchObject({ code: 0, error: "" });
  }
  const weights = (folder: string): Buffer => read(cwd, folder, "model.safetensors");
  expect(weights("a").equals(weights("b"))).toBe(true);
  expect(weights("a").equals(weights("c"))).toBe(false);
  expect(read(cwd, "a", "config.json").equals(read(cwd, "c", "config.json"))).toBe(true);
  expect(JSON.parse(read(cwd, "e", "config.json").toString())).toMatchObject({ width: 8, eps: 1e-3 });
  const [wide, narrow] = [await openWeights(join(cwd, "a")), await openWeights(join(cwd, "d"))];
  expect(narrow.tensor("embed.weight").dtype).toBe("BF16");
  expect(narrow.tensor("layers.0.scale").dtype).toBe("F32"); // the text asks for it
  expect(await narrow.read("embed.weight")).toEqual(await wide.read("embed.weight"));
  await wide.close();
  await narrow.close();
});

test("what is there stays unless it is forced, and a failure leaves nothing behind", async () => {
  const cwd = project(files);
  mkdirSync(join(cwd, "twin"));
  writeFileSync(join(cwd, "twin", "tokenizer.json"), "{}");
  expect(await runInside([...tiny, "--out", "twin"], cwd)).toMatchObject({ code: 0 });
  const first = read(cwd, "twin", "model.safetensors");
  const again = await runInside([...tiny, "--out", "twin", "--seed", "2"], cwd);
  expect(again).toMatchObject({ code: 3, out: "" });
  expect(again.error).toContain("twin/config.json is there already");
  expect(read(cwd, "twin", "model.safetensors").equals(first)).toBe(true);
  expect(await runInside([...tiny, "--out", "twin", "--seed", "2", "--force"], cwd)).toMatchObject({ code: 0 });
  expect(read(cwd, "twin", "model.safetensors").equals(first)).toBe(false);
  expect(readdirSync(join(cwd, "twin")).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);

  const blocked = await runInside([...tiny, "--out", "config.json/twin"], cwd);
  expect(blocked).toMatchObject({ code: 3, out: "" });
  expect(blocked.error).toContain("cannot write");
  expect(readdirSync(cwd).sort()).toEqual(["config.json", "package.json", "stack.ds", "twin"]);
});

test("a size that a condition wants as large as published stays", async () => {
  const needing = model.replace("    F     : dim = $.inner\n", "    F     : dim = $.inner where F mod 86 == 0\n");
  const cwd = project({ ...files, "stack.ds": needing });
  const run = await runInside([...tiny, "--out", "twin"], cwd);
  expect(run).toMatchObject({ code: 0, error: "" });
  expect(JSON.parse(read(cwd, "twin", "config.json").toString())).toMatchObject({ width: 32, inner: 11008 });
});

test.each([
  [["--out", "t", "--dim", "widht=8"], 2, "did you mean `--dim width=8`?"],
  [["--out", "t", "--dim", "width"], 2, "expected path=value"],
  [["--out", "t", "--dtype", "f8"], 2, "there is no such type here"],
  [["--out", "t", "--seed", "x"], 2, "a whole number is expected"],
  [[], 2, "tiny needs a folder"],
  [["--out", "t", "--dim", "looked=2", "--dim", "turned=4"], 1, "no small sizes were found"],
] as const)("%s is refused", async (more, code, message) => {
  const cwd = project(files);
  const run = await runInside([...tiny, ...more], cwd);
  expect(run).toMatchObject({ code, out: "" });
  expect(run.error).toContain(message);
  expect(readdirSync(cwd).sort()).toEqual(["config.json", "package.json", "stack.ds"]);
});
