/** `dsc quantize`: what it writes and where, and what it refuses, leaving nothing behind. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeNumbers } from "../../runtime/formats/encode-numbers.ts";
import { openWeights } from "../../runtime/node/open-weights.ts";
import type { Weights } from "../../runtime/weights/weights.ts";
import { fileOf, type GivenTensor } from "../quantize/matrix.ts";
import { packedShapes, wordsConfig, wordsTensors, wordsText } from "../quantize/words.ts";
import { dsc, project, type Ran } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const usual = ["quantize", "words.ds", "--weights", "in", "--out", "out"];

async function words(tensors: readonly GivenTensor[] = wordsTensors(), text = wordsText): Promise<string> {
  return project({
    "words.ds": text,
    "in/config.json": wordsConfig,
    "in/model.safetensors": await fileOf(tensors),
  });
}

async function opened<T>(folder: string, use: (weights: Weights) => Promise<T> | T): Promise<T> {
  const weights = await openWeights(folder);
  try {
    return await use(weights);
  } finally {
    await weights.close();
  }
}

const packedIn = (folder: string): Promise<readonly string[]> =>
  opened(folder, ({ tensors }) =>
    [...tensors.values()].flatMap(({ name, dtype }) => (dtype === "F8_E4M3" ? [name] : [])).sort(),
  );

const replaced = (name: string, data: Uint8Array): readonly GivenTensor[] =>
  wordsTensors().map((tensor) => (tensor.name === name ? { ...tensor, data } : tensor));

/** Nothing is there but what was. */
function expectNothing(cwd: string): void {
  expect(readdirSync(cwd).sort()).toEqual(["in", "package.json", "words.ds"]);
}

test("matrices of layers are packed, all else is what it was", async () => {
  const cwd = await words();
  const { code, out, error } = await runInside(usual, cwd);
  expect({ code, error }).toEqual({ code: 0, error: "" });
  expect(out).toMatch(/^out: words in e4m3, a multiplier \(F32\) for 128 x 128\n13 tensors, /);
  expect(out).toMatch(/\n {2}layers\.\{l\}\.experts\.\{e\}\.down_proj\.weight +4 tensors +largest \d\.\d\d % {2}mean /);
  expect(out).toMatch(/\n {2}embed\.weight +rows of it are fetched\n/);
  expect(out).toMatch(/\n {2}head\.weight +along the vocabulary\n/);
  expect(out).toMatch(/\n {2}last\.mix\.weight +the storage line names it\n/);
  expect(out).toMatch(/\n {2}layers\.\{l\}\.gate\.weight +2 tensors +the text asks for its type\n/);
  expect(await packedIn(join(cwd, "out"))).toEqual([...packedShapes.keys()].sort());
  await opened(join(cwd, "out"), async (weights) => {
    for (const [name, shape] of packedShapes) {
      expect(weights.tensor(name).shape).toEqual(shape);
      const blocks = shape.map((n) => Math.ceil(n / 128));
      expect(weights.tensor(`${name}_scale_inv`)).toMatchObject({ dtype: "F32", shape: blocks });
    }
    for (const { name, dtype, data } of wordsTensors()) {
      if (packedShapes.has(name)) continue;
      expect(weights.tensor(name).dtype).toBe(dtype);
      expect(Buffer.from(await weights.readBytes(name)).equals(data)).toBe(true);
    }
  });
  const config = readFileSync(join(cwd, "out/config.json"), "utf8");
  expect(JSON.parse(config)).toEqual({
    ...JSON.parse(wordsConfig),
    quantization_config: {
      ...{ activation_scheme: "dynamic", fmt: "e4m3", quant_method: "fp8", weight_block_size: [128, 128] },
    },
  });
});

test("shards stay shards, what lies beside them comes along, and the same input gives the same bytes", async () => {
  const tensors = wordsTensors();
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
  const parts = [0, 1].map((shard) => tensors.filter((_, i) => i % 2 === shard));
  const map = parts.flatMap((part, shard) => part.map(({ name }) => [name, shards[shard]]));
  const cwd = project({
    "words.ds": wordsText,
    "in/config.json": wordsConfig,
    "in/config.dsc.json": wordsConfig.replace("{", '{\n  "more": 1,'),
    "in/model.safetensors.index.json": JSON.stringify({ weight_map: Object.fromEntries(map) }),
    ...Object.fromEntries(await Promise.all(parts.map(async (part, i) => [shards[i], await fileOf(part)]))),
    "in/tokenizer.json": "{}",
    "in/tokenizer_config.json": "{ }",
    "in/generation_config.json": '{"eos_token_id": 1}',
    "in/chat_template.jinja": "{{ messages }}",
    "in/LICENSE": "as it is",
    "in/notes.txt": "not a part of it",
  });
  for (const shard of shards) copyFileSync(join(cwd, shard), join(cwd, "in", shard));
  for (const out of ["out", "again"])
    expect(await runInside([...usual.slice(0, -1), out], cwd)).toMatchObject({ code: 0, error: "" });
  const names = readdirSync(join(cwd, "out")).sort();
  expect(names).toEqual(
    [
      ...["LICENSE", "chat_template.jinja", "config.dsc.json", "config.json", "generation_config.json"],
      ...["model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json", ...shards],
    ].sort(),
  );
  for (const name of names)
    expect(readFileSync(join(cwd, "again", name)).equals(readFileSync(join(cwd, "out", name)))).toBe(true);
  for (const name of ["LICENSE", "tokenizer_config.json"])
    expect(readFileSync(join(cwd, "out", name))).toEqual(readFileSync(join(cwd, "in", name)));
  for (const name of ["config.json", "config.dsc.json"])
    expect(JSON.parse(readFileSync(join(cwd, "out", name), "utf8"))).toMatchObject({
      quantization_config: { quant_method: "fp8" },
    });
  await opened(join(cwd, "out"), (weights) => {
    for (const name of packedShapes.keys()) {
      const [home, beside] = [weights.tensor(name).file, weights.tensor(`${name}_scale_inv`).file];
      expect(home).toBe(map.find(([n]) => n === name)?.[1]);
      expect(beside).toBe(home);
    }
    expect(weights.statedSize).toBe([...weights.tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0));
    expect(weights.unlisted).toEqual([]);
  });
});

test("patterns choose other tensors", async () => {
  const cwd = await words();
  const packed = async (out: string, ...patterns: readonly string[]): Promise<readonly string[]> => {
    expect(await runInside([...usual.slice(0, -1), out, ...patterns], cwd)).toMatchObject({ code: 0, error: "" });
    return packedIn(join(cwd, out));
  };
  const all = [...packedShapes.keys()];
  expect(await packed("a", "--keep", "*.down_proj.weight", "--keep", "last.*")).toEqual(
    all.filter((name) => !/down_proj|last/.test(name)).sort(),
  );
  expect(await packed("b", "--only", "head.weight", "--only", "last.mix.weight")).toEqual([
    "head.weight",
    "last.mix.weight",
  ]);
  expect(await packed("c", "--only", "layers.1.*", "--keep", "*.experts.0.*")).toEqual(
    ["layers.1.gate.weight", ...all.filter((name) => name.startsWith("layers.1.experts.1."))].sort(),
  );
});

test("what is there stays unless it is forced", async () => {
  const cwd = await words();
  mkdirSync(join(cwd, "out"));
  writeFileSync(join(cwd, "out", "readme.txt"), "mine");
  expect(await runInside(usual, cwd)).toMatchObject({ code: 0 });
  const again = await runInside(usual, cwd);
  expect(again).toMatchObject({ code: 3, out: "" });
  expect(again.error).toContain("out/config.json is there already");
  expect(await runInside([...usual, "--force", "--keep", "last.*"], cwd)).toMatchObject({ code: 0 });
  expect(await packedIn(join(cwd, "out"))).not.toContain("last.spread.weight");
  expect(readdirSync(join(cwd, "out")).sort()).toEqual(["config.json", "model.safetensors", "readme.txt"]);
  // an index of other files would be read with what is written
  writeFileSync(join(cwd, "out", "model.safetensors.index.json"), "{}");
  const beside = await runInside([...usual, "--force"], cwd);
  expect(beside).toMatchObject({ code: 3, out: "" });
  expect(beside.error).toContain("out/model.safetensors.index.json would stand beside what is written");
});

const refused = async (run: Promise<Ran>, code: number, ...texts: readonly string[]): Promise<void> => {
  const { error, ...ran } = await run;
  expect(ran).toEqual({ code, out: "" });
  for (const text of texts) expect(error).toContain(text);
};

test("what is packed already is refused", async () => {
  const cwd = await words();
  await runInside(usual, cwd);
  await refused(
    runInside(["quantize", "words.ds", "--weights", "out", "--out", "twice"], cwd),
    1,
    "model.safetensors: last.spread.weight is F8_E4M3 already",
  );
});

test("a number that is none is told with its place", async () => {
  const name = "layers.1.experts.0.down_proj.weight";
  for (const [value, told] of [
    [Number.NaN, "NaN"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
  ] as const) {
    const numbers = new Float64Array(140 * 200).fill(0.5);
    numbers[137 * 200 + 31] = value;
    const cwd = await words(replaced(name, encodeNumbers(numbers, "BF16")));
    await refused(
      runInside(usual, cwd),
      1,
      `model.safetensors: tensor "${name}": element [137, 31] is ${told}: no multiplier takes it to a code`,
    );
    expectNothing(cwd);
  }
});

test("a weight that is missing, or is no number of the text, is a diagnostic", async () => {
  const missing = await words(wordsTensors().filter(({ name }) => name !== "last.spread.weight"));
  await refused(runInside(usual, missing), 1, "error[DS0501]: in/model.safetensors has no tensor `last.spread.weight`");
  expectNothing(missing);
  const shaped = wordsTensors().map((t) => (t.name === "last.spread.weight" ? { ...t, shape: [70, 280] } : t));
  await refused(runInside(usual, await words(shaped)), 1, "error[DS0503]");
});

test("a config that the text would refuse is not written", async () => {
  const cwd = await words(undefined, wordsText.replace('"none" | "fp8"', '"none"'));
  await refused(runInside(usual, cwd), 1, "out/config.json", '"fp8"');
  expectNothing(cwd);
});

test("a copy that is stored too keeps both as they are", async () => {
  const [head] = wordsTensors().filter(({ name }) => name === "head.weight");
  const cwd = await words([...wordsTensors(), ...(head === undefined ? [] : [{ ...head, name: "head.again.weight" }])]);
  expect(await runInside([...usual.slice(0, -1), "fine"], cwd)).toMatchObject({ code: 0 });
  await refused(
    runInside([...usual, "--only", "head.weight"], cwd),
    1,
    "head.weight stands in the checkpoint again as head.again.weight",
  );
});

test("texts without the format, and formats of another form", async () => {
  const line = /\n {2}storage .*\n/;
  const none = await words(undefined, wordsText.replace(line, "\n").replace(/^.*fp8_blocks.*\n/, ""));
  await refused(runInside(usual, none), 1, "words.ds has no storage format");
  const cwd = await words();
  await refused(runInside([...usual, "--format", "e2m1"], cwd), 1, "words.ds has no `storage e2m1 as …`: it has e4m3");
  const shifted = `${wordsText.replace(line, "\n  storage e4m3 as shifted()\n").replace(/^.*fp8_blocks.*\n/, "")}
block shifted() -> w: [O, I] {
  weight code  : [O, I] e4m3 at "{name}"
  weight scale : [O] f32     at "{name}_scale"
  weight zero  : [O] f32     at "{name}_zero"
  w[o,i] := code[o,i] * scale[o] + zero[o]
}
`;
  const other = await words(undefined, shifted);
  await refused(runInside(usual, other), 1, "words.ds:23:3: this is not codes times one multiplier for a block");
  expectNothing(other);
});

test.each([
  [["quantize", "words.ds", "--out", "out"], "--weights is missing"],
  [["quantize", "words.ds", "--weights", "in"], "--out is missing"],
  [["quantize", "words.ds", "--weights", "in", "--out", "in", "--force"], "--out in is the folder of the checkpoint"],
  [[...usual, "--keep", "last.spred.weight"], "no tensor that could be stored as e4m3 is named last.spred.weight"],
  [[...usual, "--only", "norm.weight"], "no tensor that could be stored as e4m3 is named norm.weight"],
  [[...usual, "--scales", "ue8m0"], "--scales ue8m0: there is no such choice"],
  [[...usual, "--set", "exact"], "--set exact: expected name=value"],
])("%s is refused", async (args, text) => {
  const cwd = await words();
  await refused(runInside(args, cwd), 2, text);
  expectNothing(cwd);
});

test("Ctrl-C while it writes, or while it checks, leaves nothing", async () => {
  for (const doing of [/^writing out$/, /^checking layers\.0\.experts\.1\.up_proj\.weight: \d+ of 13$/]) {
    const cwd = await words();
    let heard = 0;
    const ran = await runInside(usual, cwd, [], (text) => {
      if (!doing.test(text)) return;
      heard += 1;
      process.emit("SIGINT");
    });
    expect(ran).toEqual({ code: 130, out: "", error: "" });
    expect(heard).toBe(1);
    expectNothing(cwd);
  }
});

test.skipIf(process.platform === "win32")("where there is no room for a file, nothing is left", async () => {
  const cwd = await words();
  const limited = await dsc(usual, { cwd, fileBlocks: 200 });
  expect(limited).toEqual({
    code: 3,
    out: "",
    error: "dsc: cannot write out: a file would be larger than is allowed\n",
  });
  expectNothing(cwd);
});
