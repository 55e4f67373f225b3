"""A small language model with Engram, put together as the published demo does: every layer works on each residual stream
alone, Engram adds to all of them before attention, and the head reads the first. The streams start equal and none hears
of another, so what the first one is decides every logit. The layers are those of V2 with the greedy router."""

from dataclasses import dataclass, field

import torch

from reference.engram import Gated, Hashing, looked_up, paper, row_ids
from reference.experts import Routed, mixture, mixture_shapes, softmax_greedy
from reference.latent import latent_shapes, project, softmax_scale
from reference.layers import Weights, attention, causal, feed_forward_shapes, rms_norm, swiglu


@dataclass
class Seen:
    hidden: dict[str, torch.Tensor] = field(default_factory=dict)  # of the first stream
    experts: dict[int, Routed] = field(default_factory=dict)  # of the first stream
    gated: dict[int, Gated] = field(default_factory=dict)
    rows: dict[int, list[list[int]]] = field(default_factory=dict)


def layer_of(x: torch.Tensor, layer: int, config: dict, w: Weights) -> tuple[torch.Tensor, Routed | None]:
    """One stream [T, h] through one layer."""
    path, eps = f"model.layers.{layer}", config["rms_norm_eps"]
    made = project(rms_norm(x, w[f"{path}.input_layernorm.weight"], eps), config, w, f"{path}.self_attn")
    y = attention(made.q, made.k, made.v, softmax_scale(config), causal(len(x)))
    x = x + y @ w[f"{path}.self_attn.o_proj.weight"].T
    n = rms_norm(x, w[f"{path}.post_attention_layernorm.weight"], eps)
    if layer < config["first_k_dense_replace"]:
        return x + swiglu(n, w, f"{path}.mlp"), None
    logits = n @ w[f"{path}.mlp.gate.weight"].T
    routed = softmax_greedy(logits, config["num_experts_per_tok"], config["routed_scaling_factor"])
    return x + mixture(n, routed, w, f"{path}.mlp"), routed


def run(
    ids: list[int], token_map: list[int], hashing: dict[int, Hashing], config: dict, w: Weights
) -> tuple[torch.Tensor, Seen]:
    seen, own = Seen(), config["engram"]
    compressed, pad = [token_map[token] for token in ids], token_map[own["pad_id"]]
    seen.hidden["embed"] = w["model.embed_tokens.weight"][ids]
    streams = seen.hidden["embed"][:, None].expand(-1, config["hc_mult"], -1)
    for layer in range(config["num_hidden_layers"]):
        if layer in hashing:
            path = f"model.layers.{layer}.engram"
            seen.rows[layer] = row_ids(compressed, pad, hashing[layer])
            e = looked_up(w[f"{path}.multi_head_embedding.embedding.weight"], seen.rows[layer], hashing[layer])
            seen.gated[layer] = paper(streams, e, w, path, own["gate_norm_eps"], own["conv_norm_eps"])
            streams = streams + seen.gated[layer].added
        through = [layer_of(stream, layer, config, w) for stream in streams.unbind(1)]
        streams = torch.stack([y for y, _ in through], 1)
        seen.hidden[f"block.{layer}"], routed = through[0]
        if routed is not None:
            seen.experts[layer] = routed
    seen.hidden["norm"] = rms_norm(streams[:, 0], w["model.norm.weight"], config["rms_norm_eps"])
    return seen.hidden["norm"] @ w["lm_head.weight"].T, seen


def engram_shapes(path: str, rows: int, streams: int, h: int, own: dict) -> dict[str, tuple[int, ...]]:
    """The paper's form; names of the published demo's modules."""
    width = own["n_embed_per_ngram"] // own["n_head_per_ngram"]
    e = own["n_embed_per_ngram"] * (own["max_ngram_size"] - 1)
    found: dict[str, tuple[int, ...]] = {
        f"{path}.multi_head_embedding.embedding.weight": (rows, width),
        f"{path}.value_proj.weight": (h, e),
        f"{path}.value_proj.bias": (h,),
        f"{path}.short_conv.conv.weight": (streams * h, 1, own["kernel_size"]),
    }
    for m in range(streams):
        found |= {f"{path}.key_projs.{m}.weight": (h, e), f"{path}.key_projs.{m}.bias": (h,)}
        found |= {f"{path}.{norm}.{m}.weight": (h,) for norm in ("norm1", "norm2", "short_conv.norms")}
    return found


def shapes(hashing: dict[int, Hashing], config: dict) -> dict[str, tuple[int, ...]]:
    h, vocabulary = config["hidden_size"], config["vocab_size"]
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocabulary, h)}
    for layer in range(config["num_hidden_layers"]):
        path = f"model.layers.{layer}"
        found |= latent_shapes(path, config)
        if layer < config["first_k_dense_replace"]:
            found |= feed_forward_shapes(f"{path}.mlp", h, config["intermediate_size"])
        else:
            found |= mixture_shapes(f"{path}.mlp", config)
        if layer in hashing:
            found |= engram_shapes(f"{path}.engram", hashing[layer].rows, config["hc_mult"], h, config["engram"])
    return found | {"model.norm.weight": (h,), "lm_head.weight": (vocabulary, h)}
