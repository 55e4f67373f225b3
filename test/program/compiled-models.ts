/** Models of the repository as programs, by small configs. */
import { wasmPackages } from "../../backends/wasm/compile-target.ts";
import { type Compiled, type CompileRequest, compileModel } from "../../compiler/driver/compile.ts";
import { checkProject } from "../../dsl/checker/check-project.ts";
import { newParseCache } from "../../dsl/checker/load.ts";
import { readProject } from "../conformance/bind-text.ts";

const cache = newParseCache();

/** `text`: of the entry, where it is no file of the repository. */
export function compileConfig(
  entry: string,
  config: object,
  target = wasmPackages.target,
  text: string | null = null,
  more: Partial<Pick<CompileRequest, "leastRows" | "weights" | "unproved" | "onKernel">> = {},
): Compiled {
  const { bound, declared, diagnostics } = checkProject({
    entry,
    read: (path) => (path === entry && text !== null ? text : readProject(path)),
    config: { path: "config.json", text: JSON.stringify(config) },
    settings: new Map(),
    cache,
  });
  const wrong = diagnostics.find((d) => d.severity === "error");
  if (bound === null || wrong !== undefined) throw new Error(wrong?.title ?? "no model");
  return compileModel({ model: bound, declared, entry: "forward", target, weights: "f32", compiler: "0", ...more });
}

export const llama = (layers: number): object => ({
  model_type: "llama",
  hidden_size: 64,
  num_hidden_layers: layers,
  vocab_size: 128,
  intermediate_size: 160,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 4096,
  tie_word_embeddings: true,
});

/** Latent attention, 8 experts of which 2 are used, a first dense layer. */
export const latent = (layers: number): object => ({
  hidden_size: 64,
  num_hidden_layers: layers,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  intermediate_size: 160,
  vocab_size: 128,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  hidden_act: "silu",
  attention_bias: false,
  tie_word_embeddings: false,
  q_lora_rank: 32,
  kv_lora_rank: 16,
  qk_nope_head_dim: 16,
  qk_rope_head_dim: 8,
  v_head_dim: 16,
  n_routed_experts: 8,
  n_shared_experts: 1,
  num_experts_per_tok: 2,
  moe_intermediate_size: 32,
  first_k_dense_replace: 1,
  moe_layer_freq: 1,
  n_group: 1,
  topk_group: 1,
  topk_method: "greedy",
  scoring_func: "softmax",
  norm_topk_prob: false,
  routed_scaling_factor: 1,
  rope_scaling: null,
  model_type: "deepseek_v2",
});
