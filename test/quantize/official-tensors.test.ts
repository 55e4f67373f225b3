/**
 * Which tensors of V3 and V3.2 are packed, against the table of the published checkpoints: DeepSeek-V3 README_WEIGHTS.md, and for the
 * indexer DeepSeek-V3.2-Exp. Embedding, head, norms, router and its bias, eh_proj, weights_proj are not.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openWeights } from "../../runtime/node/open-weights.ts";
import { project } from "../cli/run-dsc.ts";
import { runInside } from "../cli/run-inside.ts";
import { root } from "../conformance/bind-text.ts";

const published = readFileSync(join(root, "models/deepseek-v3.2.config.json"), "utf8");

const attention = ["q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"];
const indexer = ["indexer.wq_b", "indexer.wk"];
const mlp = ["gate_proj", "up_proj", "down_proj"];

interface Sizes {
  readonly num_hidden_layers: number;
  readonly first_k_dense_replace: number;
  readonly n_routed_experts: number;
}

/** By the published names; layer `num_hidden_layers` is the draft layer, which has experts. */
function publishedE4m3(sizes: Sizes, withIndexer: boolean): readonly string[] {
  const layers = Array.from({ length: sizes.num_hidden_layers + 1 }, (_, l) => l);
  return layers.flatMap((l) => {
    const own = [...attention, ...(withIndexer ? indexer : [])].map((name) => `self_attn.${name}`);
    const experts = Array.from({ length: sizes.n_routed_experts }, (_, e) => `mlp.experts.${e}`);
    const groups = l < sizes.first_k_dense_replace ? ["mlp"] : [...experts, "mlp.shared_experts"];
    const all = [...own, ...groups.flatMap((group) => mlp.map((name) => `${group}.${name}`))];
    return all.map((name) => `model.layers.${l}.${name}.weight`);
  });
}

test.each([
  ["deepseek-v3", published.replace('"model_type": "deepseek_v32"', '"model_type": "deepseek_v3"'), false],
  ["deepseek-v3.2", published, true],
] as const)("%s", async (name, config, withIndexer) => {
  const cwd = project({ "config.json": config });
  const model = join(root, `models/${name}.ds`);
  const sizes = ["hidden_size=136", "kv_lora_rank=130", "intermediate_size=264", "moe_intermediate_size=24"];
  const dims = sizes.flatMap((size) => ["--dim", size]);
  const twin = await runInside(
    ["tiny", model, "--config", "config.json", "--out", "twin", "--dtype", "bf16", ...dims],
    cwd,
  );
  expect(twin).toMatchObject({ code: 0, error: "" });
  const { code, out, error } = await runInside(["quantize", model, "--weights", "twin", "--out", "out", "--json"], cwd);
  expect({ code, error }).toEqual({ code: 0, error: "" });

  const small: Sizes = JSON.parse(readFileSync(join(cwd, "twin/config.json"), "utf8"));
  const expected = publishedE4m3(small, withIndexer);
  const [before, after] = [await openWeights(join(cwd, "twin")), await openWeights(join(cwd, "out"))];
  try {
    const tensors = [...after.tensors.values()];
    expect(tensors.flatMap((t) => (t.dtype === "F8_E4M3" ? [t.name] : [])).sort()).toEqual([...expected].sort());
    const scales = tensors.filter((t) => t.name.endsWith("_scale_inv"));
    expect(scales.map((t) => t.name).sort()).toEqual(expected.map((tensor) => `${tensor}_scale_inv`).sort());
    for (const { name: scale, dtype, shape } of scales) {
      const of = before.tensor(scale.slice(0, -"_scale_inv".length)).shape;
      expect({ scale, dtype, shape }).toEqual({ scale, dtype: "F32", shape: of.map((n) => Math.ceil(n / 128)) });
    }
    expect(scales.some(({ shape }) => String(shape) === "2,2")).toBe(true);
    const packed = new Set(expected);
    for (const { name: tensor, dtype } of before.tensors.values()) {
      if (packed.has(tensor)) continue;
      expect(after.tensor(tensor).dtype).toBe(dtype);
      expect(await after.readBytes(tensor)).toEqual(await before.readBytes(tensor));
    }
    const kept = [...before.tensors.keys()].filter((tensor) => !packed.has(tensor));
    for (const tensor of ["model.embed_tokens.weight", "lm_head.weight", "model.layers.4.eh_proj.weight"])
      expect(kept).toContain(tensor);
    expect(
      JSON.parse(out)
        .tensors.map((t: { readonly name: string }) => t.name)
        .sort(),
    ).toEqual([...expected].sort());
  } finally {
    await before.close();
    await after.close();
  }
});
