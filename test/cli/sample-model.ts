/** DeepSeek-V3.2 as the checker describes it, written out by hand from the published config: what drawing is tested on. */
import type { BlockInstance, ModelInstance, WeightInstance } from "../../dsl/checker/result.ts";

export function weight(
  name: string,
  tensor: string,
  shape: string,
  sizes: readonly number[] | null,
  type = "real",
): WeightInstance {
  return { name, tensors: [tensor], copies: [], shape, sizes, type };
}

export function block(name: string, of: string, rest: Partial<BlockInstance> = {}): BlockInstance {
  return {
    name,
    block: of,
    doc: null,
    family: null,
    members: null,
    optional: false,
    params: [],
    signature: "x: [D] -> y: [D]",
    weights: [],
    states: [],
    parts: [],
    ...rest,
  };
}

export function model(rest: Partial<ModelInstance> = {}): ModelInstance {
  return { name: "sample", doc: null, settings: [], blocks: [], weights: [], entries: [], bound: true, ...rest };
}

const norm = (name: string, at: string, size = 7168, dim = "D"): BlockInstance =>
  block(name, "rms_norm", {
    params: [{ name: "eps", value: "1e-6" }],
    signature: `x: [${dim}] -> y: [${dim}]`,
    weights: [weight("scale", `${at}.weight`, `[${dim}]`, [size])],
  });

const swiglu = (name: string, at: string, width: number, rest: Partial<BlockInstance> = {}): BlockInstance =>
  block(name, "swiglu", {
    params: [
      { name: "F", value: String(width) },
      { name: "limit", value: "inf" },
    ],
    weights: [
      weight("w_gate", `${at}.gate_proj.weight`, "[F, D]", [width, 7168]),
      weight("w_up", `${at}.up_proj.weight`, "[F, D]", [width, 7168]),
      weight("w_down", `${at}.down_proj.weight`, "[D, F]", [7168, width]),
    ],
    ...rest,
  });

const indexer = (at: string): BlockInstance =>
  block("indexer", "lightning_indexer", {
    doc: "Which K earlier tokens are worth attending to.",
    signature: "x: [T, D], cq: [T, RQ], pos: [T] in S -> near: [T] set of S",
    params: [
      { name: "H", value: "64" },
      { name: "W", value: "128" },
      { name: "P", value: "64" },
      { name: "K", value: "2048" },
      { name: "exact", value: "false" },
    ],
    weights: [
      weight("w_q", `${at}.wq_b.weight`, "[(H, (P | W - P)), RQ]", [8192, 1536]),
      weight("w_k", `${at}.wk.weight`, "[(P | W - P), D]", [128, 7168]),
      weight("w_w", `${at}.weights_proj.weight`, "[H, D]", [64, 7168], "f32"),
    ],
    states: [{ name: "key", shape: "[S, W]" }],
    parts: [
      block("k_norm", "layer_norm", {
        signature: "x: [W] -> y: [W]",
        weights: [
          weight("scale", `${at}.k_norm.weight`, "[W]", [128]),
          weight("shift", `${at}.k_norm.bias`, "[W]", [128]),
        ],
      }),
    ],
  });

const attention = (at: string): BlockInstance =>
  block("attn", "mla", {
    doc: "Multi-head latent attention.",
    signature: "x: [T, D], pos: [T] in S -> y: [T, D]",
    params: [
      { name: "H", value: "128" },
      { name: "R", value: "512" },
      { name: "N", value: "128" },
      { name: "P", value: "64" },
      { name: "VH", value: "128" },
      { name: "RQ", value: "1536" },
      { name: "softmax_scale", value: "0.1352337788608801" },
      { name: "eps", value: "1e-6" },
      { name: "select", value: "lightning_indexer" },
      { name: "fp8_latent", value: "false" },
    ],
    weights: [
      weight("w_dkv", `${at}.kv_a_proj_with_mqa.weight`, "[(R | P), D]", [576, 7168]),
      weight("w_ukv", `${at}.kv_b_proj.weight`, "[(H, (N | VH)), R]", [32768, 512]),
      weight("w_o", `${at}.o_proj.weight`, "[D, (H, VH)]", [7168, 16384]),
      weight("w_dq", `${at}.q_a_proj.weight`, "[RQ, D]", [1536, 7168]),
      weight("w_uq", `${at}.q_b_proj.weight`, "[(H, (N | P)), RQ]", [24576, 1536]),
    ],
    states: [
      { name: "latent", shape: "[S, R]" },
      { name: "key_rope", shape: "[S, (P / 2, 2)]" },
    ],
    parts: [
      norm("kv_norm", `${at}.kv_a_layernorm`, 512, "R"),
      norm("q_norm", `${at}.q_a_layernorm`, 1536, "RQ"),
      indexer(`${at}.indexer`),
    ],
  });

const experts = (at: string): BlockInstance =>
  block("mlp", "moe", {
    params: [
      { name: "E", value: "256" },
      { name: "F", value: "2048" },
      { name: "F_shared", value: "2048" },
      { name: "router", value: "noaux_router" },
    ],
    parts: [
      block("gate", "noaux_router", {
        signature: "x: [D] -> w: [K of E]",
        params: [
          { name: "E", value: "256" },
          { name: "G", value: "8" },
          { name: "K", value: "8" },
          { name: "groups", value: "4" },
          { name: "routed_scaling_factor", value: "2.5" },
        ],
        weights: [
          weight("w_gate", `${at}.gate.weight`, "[E, D]", [256, 7168], "f32"),
          weight("bias", `${at}.gate.e_score_correction_bias`, "[E]", [256], "f32"),
        ],
      }),
      swiglu("expert", `${at}.experts.{e}`, 2048, { family: { index: "e", size: "E", count: 256 } }),
      swiglu("shared", `${at}.shared_experts`, 2048),
    ],
  });

const layer = (at: string, mlp: BlockInstance, rest: Partial<BlockInstance>): BlockInstance =>
  block("layer", "decoder", {
    doc: "Pre-norm residual layer.",
    signature: "x: [T, D], pos: [T] in S -> y: [T, D]",
    params: [
      { name: "attention", value: "mla" },
      { name: "ffn", value: mlp.block },
      { name: "eps", value: "1e-6" },
    ],
    parts: [
      norm("norm1", `${at}.input_layernorm`),
      norm("norm2", `${at}.post_attention_layernorm`),
      attention(`${at}.self_attn`),
      mlp,
    ],
    ...rest,
  });

const family = { index: "l", size: "L", count: 61 };
const at = "model.layers.{l}";

const field = (name: string, type: string, value: string) => ({ name, kind: "field" as const, type, value });

export const deepseekV32: ModelInstance = model({
  name: "deepseek_v3_2",
  doc: "DeepSeek-V3.2: V3 whose every layer attends to the K_index tokens its indexer picks.",
  settings: [
    field("D", "dim", "7168"),
    field("L", "dim", "61"),
    field("V", "dim", "129280"),
    field("H", "dim", "128"),
    field("R", "dim", "512"),
    field("N", "dim", "128"),
    field("P", "dim", "64"),
    field("VH", "dim", "128"),
    field("RQ", "dim?", "1536"),
    field("F_dense", "dim", "18432"),
    field("F_expert", "dim", "2048"),
    field("E", "dim", "256"),
    field("K", "int", "8"),
    field("G", "dim", "8"),
    field("groups", "int", "4"),
    field("F_shared", "dim", "2048"),
    field("first_dense", "int", "3"),
    field("routed_scaling_factor", "real", "2.5"),
    field("norm_topk_prob", "bool", "true"),
    field("method", "text", '"noaux_tc"'),
    field("eps", "real", "1e-6"),
    field("context", "int", "163840"),
    field("theta", "real", "10000"),
    field("factor", "real", "40"),
    field("drafts", "int", "1"),
    field("H_index", "dim", "64"),
    field("W_index", "dim", "128"),
    field("K_index", "int", "2048"),
    { name: "exact", kind: "option", type: "bool", value: "false" },
    { name: "fp8_latent", kind: "option", type: "bool", value: "false" },
    { name: "T", kind: "runtime", type: "dim in 1..4096", value: null },
    { name: "S", kind: "runtime", type: "memory in 1..163840", value: null },
  ],
  weights: [
    {
      ...weight("embed", "model.embed_tokens.weight", "[V, D]", [129280, 7168]),
      copies: ["model.layers.61.embed_tokens.weight"],
    },
    {
      ...weight("head", "lm_head.weight", "[V, D]", [129280, 7168]),
      copies: ["model.layers.61.shared_head.head.weight"],
    },
  ],
  blocks: [
    layer(at, swiglu("mlp", `${at}.mlp`, 18432), { family, members: { condition: "l < 3", count: 3 } }),
    layer(at, experts(`${at}.mlp`), { family, members: { condition: "l >= 3", count: 58 } }),
    norm("norm", "model.norm"),
    block("draft_layer", "mtp", {
      doc: "One multi-token-prediction module.",
      optional: true,
      signature: "hidden: [T, D], next: [T, D], pos: [T] in S -> y: [T, D]",
      params: [
        { name: "attention", value: "mla" },
        { name: "ffn", value: "moe" },
        { name: "eps", value: "1e-6" },
      ],
      weights: [weight("w_eh", "model.layers.61.eh_proj.weight", "[D, (D | D)]", [7168, 14336])],
      parts: [
        norm("enorm", "model.layers.61.enorm"),
        norm("hnorm", "model.layers.61.hnorm"),
        norm("norm", "model.layers.61.shared_head.norm"),
        layer("model.layers.61", experts("model.layers.61.mlp"), {}),
      ],
    }),
  ],
  entries: [
    {
      name: "forward",
      signature: "(ids: [T] in V, pos: [T] in S) -> (hidden: [T, D], logits: [T, V], next: [V])",
    },
    {
      name: "propose",
      signature: "(hidden: [T, D], ids: [T] in V, pos: [T] in S) -> (hidden_next: [T, D], logits: [T, V])",
    },
  ],
});
