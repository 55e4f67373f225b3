"""DeepSeekMoE-16B: attention of Llama, dense layers first, then the greedy router over a softmax."""

from dataclasses import dataclass

import torch

from reference.experts import Routed, mixture, mixture_shapes, softmax_greedy
from reference.layers import (
    Weights,
    attention,
    causal,
    feed_forward_shapes,
    frequencies,
    rms_norm,
    rotate_halves,
    swiglu,
)


@dataclass(frozen=True)
class Run:
    hidden: dict[str, torch.Tensor]  # embed, block.0 and on, norm: [T, h]
    logits: torch.Tensor  # [T, vocabulary]
    experts: dict[int, Routed]


def attend(x: torch.Tensor, config: dict, w: Weights, path: str) -> torch.Tensor:
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    dim = config["hidden_size"] // heads
    of = lambda name, count: (x @ w[f"{path}.{name}.weight"].T).unflatten(-1, (count, dim))  # noqa: E731
    angles = torch.arange(len(x))[:, None] * frequencies(dim, config["rope_theta"], config.get("rope_scaling"))
    q = rotate_halves(of("q_proj", heads), angles)
    k = rotate_halves(of("k_proj", kv_heads), angles).repeat_interleave(heads // kv_heads, 1)
    v = of("v_proj", kv_heads).repeat_interleave(heads // kv_heads, 1)
    return attention(q, k, v, dim**-0.5, causal(len(x))) @ w[f"{path}.o_proj.weight"].T


def run(ids: list[int], config: dict, w: Weights) -> Run:
    eps = config["rms_norm_eps"]
    x = w["model.embed_tokens.weight"][ids]
    hidden, experts = {"embed": x}, {}
    for layer in range(config["num_hidden_layers"]):
        path = f"model.layers.{layer}"
        x = x + attend(rms_norm(x, w[f"{path}.input_layernorm.weight"], eps), config, w, f"{path}.self_attn")
        n = rms_norm(x, w[f"{path}.post_attention_layernorm.weight"], eps)
        if layer < config["first_k_dense_replace"]:
            x = x + swiglu(n, w, f"{path}.mlp")
        else:
            logits = n @ w[f"{path}.mlp.gate.weight"].T
            experts[layer] = softmax_greedy(logits, config["num_experts_per_tok"], 1.0)
            x = x + mixture(n, experts[layer], w, f"{path}.mlp")
        hidden[f"block.{layer}"] = x
    hidden["norm"] = rms_norm(x, w["model.norm.weight"], eps)
    return Run(hidden, hidden["norm"] @ w["lm_head.weight"].T, experts)


def shapes(config: dict) -> dict[str, tuple[int, ...]]:
    """Tensors of a checkpoint by their published names."""
    h, vocabulary = config["hidden_size"], config["vocab_size"]
    kv = h // config["num_attention_heads"] * config["num_key_value_heads"]
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocabulary, h)}
    for layer in range(config["num_hidden_layers"]):
        path = f"model.layers.{layer}"
        found |= {f"{path}.{name}.weight": (h,) for name in ("input_layernorm", "post_attention_layernorm")}
        found |= {f"{path}.self_attn.{name}_proj.weight": (h, h) for name in "qo"}
        found |= {f"{path}.self_attn.{name}_proj.weight": (kv, h) for name in "kv"}
        if layer < config["first_k_dense_replace"]:
            found |= feed_forward_shapes(f"{path}.mlp", h, config["intermediate_size"])
        else:
            found |= mixture_shapes(f"{path}.mlp", config)
    return found | {"model.norm.weight": (h,), "lm_head.weight": (vocabulary, h)}
