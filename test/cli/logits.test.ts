import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../conformance/bind-text.ts";
import { errorsOf } from "../conformance/recorded-parts.ts";
import { loadCase } from "../oracle/cases.ts";
import { type CheckpointOptions, writeCheckpoint } from "./checkpoint.ts";
import { dsc, project } from "./run-dsc.ts";
import { runInside } from "./run-inside.ts";

const model = join(root, "models/deepseek-llm.ds");
const oracle = loadCase("llama-gqa");
const all = [...oracle.ids, ...oracle.steps];

interface Written {
  readonly logits: readonly (readonly number[])[];
  readonly taps?: Readonly<
    Record<
      string,
      readonly { layer: number | null; position: number; dims: readonly number[]; values: readonly number[] }[]
    >
  >;
}

/** A folder with a checkpoint in `model` and the recorded tokens. */
async function prepared(options: CheckpointOptions = {}): Promise<string> {
  const cwd = project({ "tokens.json": JSON.stringify(all), "object.json": JSON.stringify({ tokens: all }) });
  await writeCheckpoint(join(cwd, "model"), oracle, options);
  return cwd;
}

/** Files that this process has open, where the system lists them. */
function openFilesBelow(folder: string): readonly string[] {
  const list = "/proc/self/fd";
  if (!existsSync(list)) return [];
  const targets = readdirSync(list).map((name) => {
    try {
      return readlinkSync(join(list, name));
    } catch {
      return ""; // the one that listed them
    }
  });
  return targets.filter((target) => target.startsWith(folder));
}

const read = (path: string): Written => JSON.parse(readFileSync(path, "utf8"));
const base = ["logits", model, "--weights", "model", "--out", "out.json", "--tokens"];

test.each<[string, CheckpointOptions]>([
  ["f32, in a process of its own", {}],
  ["bf16", { dtype: "BF16" }],
  ["bf16 in three shards", { dtype: "BF16", shards: 3 }],
])("logits and taps of a checkpoint in %s agree with the recording", async (_name, options) => {
  const cwd = await prepared(options);
  const args = [...base, "tokens.json", "--taps", "layer.y,norm.y,h.*"];
  const ran = await (options.dtype === undefined ? dsc(args, { cwd }) : runInside(args, cwd));
  expect(ran).toEqual({ code: 0, out: "", error: "" });
  const { logits, taps = {} } = read(join(cwd, "out.json"));
  const rows = (values: readonly number[] = []): readonly (readonly number[])[] =>
    all.map((_, t) => values.slice((t * values.length) / all.length, ((t + 1) * values.length) / all.length));
  expect(taps["layer.y"]?.map(({ layer, position, dims }) => ({ layer, position, dims }))).toEqual([
    { layer: 0, position: 0, dims: [all.length, 32] },
    { layer: 1, position: 0, dims: [all.length, 32] },
  ]);
  const parts = new Map([
    ["embed", rows(taps["h.0"]?.[0]?.values)],
    ["block.0", rows(taps["layer.y"]?.[0]?.values)],
    ["block.1", rows(taps["layer.y"]?.[1]?.values)],
    ["norm", rows(taps["norm.y"]?.[0]?.values)],
    ["logits", logits],
  ]);
  for (const [part, error] of Object.entries(errorsOf(parts, oracle))) expect(error, part).toBeLessThanOrEqual(1);
});

test("chunks, both forms of tokens and a named file of weights change no byte", async () => {
  const cwd = await prepared();
  const taps = ["--taps", "layer.y"];
  const outs: string[] = [];
  for (const args of [
    [...base, "tokens.json", ...taps],
    [...base, "object.json", ...taps, "--chunk", "4"],
    ["logits", model, "--weights", "model/model.safetensors", "--out", "-", "--tokens", "-", ...taps],
  ]) {
    // Standard input takes a process.
    const ran = args.at(-3) === "-" ? dsc(args, { cwd, input: JSON.stringify(all) }) : runInside(args, cwd);
    const { code, out, error } = await ran;
    expect({ code, error }).toEqual({ code: 0, error: "" });
    outs.push(out === "" ? readFileSync(join(cwd, "out.json"), "utf8") : out);
  }
  expect(new Set(outs).size).toBe(1);
});

test("what is wrong is said in one line, nothing is written, nothing stays behind", async () => {
  const cwd = await prepared();
  const put = (name: string, value: unknown): string => {
    writeFileSync(join(cwd, name), typeof value === "string" ? value : JSON.stringify(value));
    return name;
  };
  const rows: readonly (readonly [args: readonly string[], code: number, error: string | RegExp])[] = [
    [[put("empty.json", [])], 1, "dsc: there are no tokens"],
    [[put("half.json", [1, 2.5])], 1, "dsc: half.json: element 1 is 2.5, which is no id"],
    [[put("text.json", "[1, 2")], 1, "dsc: text.json: this is not JSON"],
    [[put("none.json", { ids: [1] })], 1, "dsc: none.json: there is no list of ids"],
    [[put("high.json", [1, 32])], 1, "dsc: token 1 is 32; the model has ids 0 to 31"],
    [[put("long.json", new Array(49).fill(1))], 1, "dsc: there are 49 tokens; the model remembers 48"],
    [["missing.json"], 3, "dsc: cannot read missing.json: there is no such file"],
    [["tokens.json", "--chunk", "0"], 2, "dsc: --chunk 0: expected a whole number from 1"],
    [["tokens.json", "--backend", "referense"], 2, /no such backend\n {2}did you mean `reference`\?/],
    [["tokens.json", "--taps", "layer.z"], 2, /--taps layer\.z: no value that is computed has this name/],
    [["tokens.json", "--taps", "layer.attn.qrr"], 2, "did you mean `layer.attn.qr`?"],
    [["tokens.json", "--taps", "attn.qr"], 2, "did you mean `layer.attn.qr`?"],
    [["tokens.json", "--taps", "layer y"], 2, "is no path"],
    [["tokens.json", "--entry", "forwards"], 2, "did you mean `forward`?"],
    [["tokens.json", "--config", "empty.json"], 1, "error[DS0128]"],
  ];
  for (const [args, code, error] of rows) {
    const ran = await runInside([...base, ...args], cwd);
    expect(ran, args.join(" ")).toMatchObject({ code, out: "" });
    if (typeof error === "string") expect(ran.error).toContain(error);
    else expect(ran.error).toMatch(error);
    expect(ran.error).not.toMatch(/bug in dsc|at .*\.ts/);
  }
  expect(existsSync(join(cwd, "out.json"))).toBe(false);
  expect(readdirSync(cwd).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  expect(openFilesBelow(cwd)).toEqual([]);
});

test("a checkpoint that does not fit is told by the checker, with the place in the text", async () => {
  const cwd = await prepared();
  const { config } = oracle;
  const wider = config.replace('"intermediate_size": 48', '"intermediate_size": 64');
  const deeper = config.replace('"num_hidden_layers": 2', '"num_hidden_layers": 3');
  expect([wider, deeper]).not.toContain(config);
  writeFileSync(join(cwd, "wider.json"), wider);
  writeFileSync(join(cwd, "deeper.json"), deeper);
  const [shape, missing] = await Promise.all(
    ["wider.json", "deeper.json"].map((name) => runInside([...base, "tokens.json", "--config", name], cwd)),
  );
  expect(shape).toMatchObject({ code: 1, out: "" });
  expect(shape?.error).toContain("error[DS0503]");
  expect(shape?.error).toContain("model/model.safetensors");
  expect(missing).toMatchObject({ code: 1, out: "" });
  expect(missing?.error).toContain("error[DS0501]");
});

test("weights that cannot be read", async () => {
  const cwd = await prepared();
  const file = join(cwd, "model/model.safetensors");
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.subarray(0, bytes.length - 4));
  const cut = await runInside([...base, "tokens.json"], cwd);
  expect(cut).toMatchObject({ code: 1, out: "" });
  expect(cut.error).toContain("dsc: model.safetensors: ");
  const none = await runInside(
    ["logits", model, "--weights", "nowhere", "--out", "out.json", "--tokens", "tokens.json"],
    cwd,
  );
  expect(none).toMatchObject({
    code: 3,
    out: "",
    error: "dsc: cannot read nowhere: there is no such file or folder\n",
  });
  writeFileSync(file, "");
  const empty = await runInside([...base, "tokens.json"], cwd);
  expect(empty).toMatchObject({ code: 1, out: "" });
});
