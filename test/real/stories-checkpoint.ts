/**
 * The stories260K model as a checkpoint of the Llama family.
 *
 * `stories260K.bin`, little-endian: int32 dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len; then float32,
 * each tensor for all layers together: embedding, attention norm, wq, wk, wv, wo, FFN norm, w1 (gate), w2 (down), w3
 * (up), final norm, and two tables of angles, which are skipped. A positive vocab_size says that the head is tied.
 *
 * Its rotary embedding turns neighbouring channels (2j, 2j + 1) of a head; that of the family turns (j, j + K / 2). With the
 * rows of wq and wk put into that order the scores are the same sums in another order.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TensorData, writeSafetensors } from "../../runtime/formats/write-safetensors.ts";
import { storiesTokenizerJson } from "./stories-tokenizer.ts";

export interface StoriesTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface StoriesCheckpoint {
  readonly config: string;
  readonly tensors: ReadonlyMap<string, StoriesTensor>;
}

export function readStories(file: Uint8Array): StoriesCheckpoint {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const header = Array.from({ length: 7 }, (_, i) => view.getInt32(4 * i, true));
  const [D = 0, F = 0, L = 0, H = 0, G = 0, V = 0, context = 0] = header;
  if (V <= 0) throw new Error("a head of its own is not read");
  const K = D / H;
  let at = 28;
  const take = (...shape: readonly number[]): StoriesTensor => {
    const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
    for (let i = 0; i < data.length; i += 1, at += 4) data[i] = view.getFloat32(at, true);
    return { shape, data };
  };
  const tensors = new Map<string, StoriesTensor>([["model.embed_tokens.weight", take(V, D)]]);
  const layers = (name: string, shape: readonly number[], change = (t: StoriesTensor) => t): void => {
    for (let l = 0; l < L; l += 1) tensors.set(`model.layers.${l}.${name}.weight`, change(take(...shape)));
  };
  layers("input_layernorm", [D]);
  layers("self_attn.q_proj", [H * K, D], (t) => halves(t, K));
  layers("self_attn.k_proj", [G * K, D], (t) => halves(t, K));
  layers("self_attn.v_proj", [G * K, D]);
  layers("self_attn.o_proj", [D, H * K]);
  layers("post_attention_layernorm", [D]);
  layers("mlp.gate_proj", [F, D]);
  layers("mlp.down_proj", [D, F]);
  layers("mlp.up_proj", [F, D]);
  tensors.set("model.norm.weight", take(D));
  if (at + 2 * context * (K / 2) * 4 !== file.length) throw new Error("the file has another length than it says");
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    hidden_size: D,
    intermediate_size: F,
    num_hidden_layers: L,
    num_attention_heads: H,
    num_key_value_heads: G,
    head_dim: K,
    vocab_size: V,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    max_position_embeddings: context,
    tie_word_embeddings: true,
    bos_token_id: 1,
    // A story is followed by the beginning of the next.
    eos_token_id: 1,
  };
  return { config: JSON.stringify(config, null, 2), tensors };
}

/** Rows of each head: the even ones, then the odd ones. */
function halves({ shape, data }: StoriesTensor, headSize: number): StoriesTensor {
  const [rows = 0, width = 0] = shape;
  const out = new Float32Array(data.length);
  for (let row = 0; row < rows; row += 1) {
    const [head, j] = [row - (row % headSize), row % headSize];
    const from = head + (j < headSize / 2 ? 2 * j : 2 * j - headSize + 1);
    out.set(data.subarray(from * width, (from + 1) * width), row * width);
  }
  return { shape, data: out };
}

/** Writes model.safetensors, config.json and tokenizer.json. */
export async function writeStories(folder: string, weights: Uint8Array, tok512: Uint8Array): Promise<void> {
  const { config, tensors } = readStories(weights);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), config);
  writeFileSync(join(folder, "tokenizer.json"), storiesTokenizerJson(tok512));
  const listed = [...tensors].map(
    ([name, { shape, data }]): TensorData => ({ name, dtype: "F32", shape, data: () => [littleEndian(data)] }),
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSafetensors(listed)) chunks.push(chunk);
  writeFileSync(join(folder, "model.safetensors"), Buffer.concat(chunks));
}

function littleEndian(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [i, value] of values.entries()) view.setFloat32(i * 4, value, true);
  return new Uint8Array(view.buffer);
}
