/** Checkpoints in fp8 with a scale a block, as V3 is published, through a package: every weight is code times scale, to the bit. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeFloat, e4m3 } from "../../runtime/formats/float-format.ts";
import { writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import type { LoadOptions } from "../../runtime/package/load-options.ts";
import type { Model } from "../../runtime/package/model.ts";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";

/** Widths of several blocks, whole and not, and of one. */
const config = {
  ...{ model_type: "deepseek_v3", hidden_act: "silu", hidden_size: 160, vocab_size: 48, num_hidden_layers: 2 },
  ...{ num_attention_heads: 2, q_lora_rank: 136, kv_lora_rank: 128, qk_nope_head_dim: 8, qk_rope_head_dim: 8 },
  ...{ v_head_dim: 8, intermediate_size: 264, moe_intermediate_size: 40, n_routed_experts: 4, num_experts_per_tok: 2 },
  ...{ n_group: 2, topk_group: 1, n_shared_experts: 1, first_k_dense_replace: 1, routed_scaling_factor: 2.5 },
  ...{ norm_topk_prob: true, topk_method: "noaux_tc", scoring_func: "sigmoid", rms_norm_eps: 1e-6 },
  ...{ max_position_embeddings: 64, rope_theta: 10_000 },
} as const;

interface Stored {
  readonly name: string;
  readonly dtype: "F32" | "F8_E4M3";
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}
type Matrix = readonly [name: string, rows: number, columns: number];

const { hidden_size: D, num_attention_heads: H, vocab_size: V } = config;
const swiglu = (at: string, F: number): readonly Matrix[] => [
  [`${at}.gate_proj`, F, D],
  [`${at}.up_proj`, F, D],
  [`${at}.down_proj`, D, F],
];
function matrices(layer: number): readonly Matrix[] {
  const [at, F] = [`model.layers.${layer}`, config.moe_intermediate_size];
  return [
    [`${at}.self_attn.q_a_proj`, config.q_lora_rank, D],
    [`${at}.self_attn.q_b_proj`, H * 16, config.q_lora_rank],
    [`${at}.self_attn.kv_a_proj_with_mqa`, config.kv_lora_rank + 8, D],
    [`${at}.self_attn.kv_b_proj`, H * 16, config.kv_lora_rank],
    [`${at}.self_attn.o_proj`, D, H * 8],
    ...(layer === 0
      ? swiglu(`${at}.mlp`, config.intermediate_size)
      : [0, 1, 2, 3].flatMap((e) => swiglu(`${at}.mlp.experts.${e}`, F)).concat(swiglu(`${at}.mlp.shared_experts`, F))),
  ];
}
function plainShapes(layer: number): readonly (readonly [string, readonly number[]])[] {
  const at = `model.layers.${layer}`;
  return [
    [`${at}.input_layernorm.weight`, [D]],
    [`${at}.post_attention_layernorm.weight`, [D]],
    [`${at}.self_attn.q_a_layernorm.weight`, [config.q_lora_rank]],
    [`${at}.self_attn.kv_a_layernorm.weight`, [config.kv_lora_rank]],
    ...(layer === 0
      ? []
      : ([
          [`${at}.mlp.gate.weight`, [4, D]],
          [`${at}.mlp.gate.e_score_correction_bias`, [4]],
        ] as const)),
  ];
}

/** The same numbers twice: as published files hold them, and multiplied out. */
function checkpoints(): { readonly fp8: readonly Stored[]; readonly plain: readonly Stored[] } {
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const reals = (name: string, shape: readonly number[], of: () => number): Stored => {
    const values = Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, of);
    return { name, dtype: "F32", shape, bytes: new Uint8Array(values.buffer) };
  };
  const both = [
    reals("model.embed_tokens.weight", [V, D], () => random() - 0.5),
    reals("lm_head.weight", [V, D], () => random() - 0.5),
    reals("model.norm.weight", [D], () => 0.5 + random()),
    ...[0, 1].flatMap(plainShapes).map(([name, shape]) => reals(name, shape, () => 0.5 + random())),
  ];
  const [fp8, plain] = [[...both], [...both]];
  for (const [name, rows, columns] of [0, 1].flatMap(matrices)) {
    const codes = Uint8Array.from({ length: rows * columns }, () => {
      const code = Math.floor(random() * 256);
      return (code & 0x7f) === 0x7f ? 0 : code;
    });
    const [down, across] = [Math.ceil(rows / 128), Math.ceil(columns / 128)];
    const scales = Float32Array.from({ length: down * across }, () => (0.2 + random()) / 448 / Math.sqrt(columns));
    const values = Float32Array.from(codes, (code, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const scale = scales[Math.floor(row / 128) * across + Math.floor(column / 128)] ?? Number.NaN;
      return decodeFloat(e4m3, code) * scale;
    });
    const bytes = new Uint8Array(scales.buffer);
    fp8.push({ name: `${name}.weight`, dtype: "F8_E4M3", shape: [rows, columns], bytes: codes });
    fp8.push({ name: `${name}.weight_scale_inv`, dtype: "F32", shape: [down, across], bytes });
    plain.push({
      name: `${name}.weight`,
      dtype: "F32",
      shape: [rows, columns],
      bytes: new Uint8Array(values.buffer),
    });
  }
  return { fp8, plain };
}

const folder = mkdtempSync(join(tmpdir(), "dsc-stored-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function write(name: string, tensors: readonly Stored[]): Promise<string> {
  const at = join(folder, name);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "config.json"), JSON.stringify(config));
  const chunks: Uint8Array[] = [];
  for await (const c of writeSafetensors(tensors.map((t) => ({ ...t, data: () => [t.bytes] })))) chunks.push(c);
  writeFileSync(join(at, "model.safetensors"), Buffer.concat(chunks));
  return at;
}
type Load = (o: LoadOptions) => Promise<Model>;
async function compiled(text: string, checkpoint: string, ...options: readonly string[]): Promise<Load> {
  const out = `out-${text}-${options.join("")}`;
  const file = join(root, `models/${text}.ds`);
  const args = ["compile", file, "--config", join(checkpoint, "config.json"), "--out", out, ...options];
  const { code, error } = await runInside(args, folder);
  if (code !== 0) throw new Error(`dsc compile has ended with ${code}: ${error}`);
  const entry: { readonly load: Load } = await import(pathToFileURL(join(folder, out, "index.js")).href);
  return entry.load;
}
const ids = [3, 17, 40, 8, 8, 21, 0, 47];
async function logits(load: Load, options: LoadOptions): Promise<Float32Array> {
  const model = await load({ threads: 1, ...options });
  try {
    return await model.session().forward(ids, { all: true });
  } finally {
    model.dispose();
  }
}

const { fp8, plain } = checkpoints();
let [stored, multiplied] = ["", ""];
let load: Load = () => Promise.reject(new Error("not compiled"));
beforeAll(async () => {
  stored = await write("fp8", fp8);
  multiplied = await write("plain", plain);
  load = await compiled("deepseek-v3", stored);
}, 120_000);

test("the same package says the same of both", async () => {
  const want = await logits(load, { weights: multiplied });
  expect(want.every(Number.isFinite)).toBe(true);
  expect(await logits(load, { weights: stored })).toEqual(want);
  expect(await logits(load, { weights: stored, threads: 2 })).toEqual(want);
});

test("in bf16 too", async () => {
  const narrow = await compiled("deepseek-v3", stored, "--weights-type", "bf16");
  const want = await logits(narrow, { weights: multiplied, narrow: true });
  expect(await logits(narrow, { weights: stored, narrow: true })).toEqual(want);
  await expect(logits(narrow, { weights: stored })).rejects.toMatchObject({ code: "weights-mismatch" });
});

test("the reference reads them as the text says", async () => {
  const want = await logits(load, { weights: multiplied });
  writeFileSync(join(folder, "ids.json"), JSON.stringify(ids));
  const args = ["logits", join(root, "models/deepseek-v3.ds"), "--weights", stored];
  const { code, error } = await runInside([...args, "--tokens", "ids.json", "--out", "logits.json"], folder);
  expect(error).not.toContain("error");
  expect(code).toBe(0);
  const { readFileSync } = await import("node:fs");
  const rows: { readonly logits: readonly (readonly number[])[] } = JSON.parse(
    readFileSync(join(folder, "logits.json"), "utf8"),
  );
  const most = Math.max(...rows.logits.flat().map(Math.abs));
  for (const [i, x] of rows.logits.flat().entries()) expect(Math.abs(x - (want[i] ?? 0)) / most).toBeLessThan(1e-5);
});

const name = "model.layers.1.mlp.experts.2.down_proj.weight_scale_inv";
test.each([
  ["a scale is missing", fp8.filter((t) => t.name !== name), name],
  [
    "scales of another shape",
    fp8.map((t) => (t.name === name ? { ...t, shape: [1, 2], bytes: new Uint8Array(8) } : t)),
    name,
  ],
  [
    "scales of a tensor that has none",
    [...plain, ...fp8.filter((t) => t.name === name)],
    "in the checkpoint, but not in the model",
  ],
])("%s", async (what, tensors, text) => {
  const weights = await write(what.replaceAll(" ", "-"), tensors);
  const error: unknown = await logits(load, { weights }).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: "weights-mismatch" });
  expect(String(error)).toContain(text);
});
