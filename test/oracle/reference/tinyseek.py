"""TinySeek: V3.2 in its exact numerics with an MTP module, and Engram of the paper on the one residual stream, before the
layer that it belongs to. Axes as in the parts it is put together from."""

from dataclasses import dataclass, field

import torch

from reference import deepseek_v32, engram
from reference.layers import Weights, rms_norm

NUMERICS = deepseek_v32.Numerics(exact=True, fp8_latent=False)


@dataclass
class Seen(deepseek_v32.Seen):
    gated: dict[int, engram.Gated] = field(default_factory=dict)


def hashings(config: dict) -> dict[int, engram.Hashing]:
    """By layer, from what the config says they follow from."""
    own = config["engram"]
    heads, vocabulary, seed = own["n_head_per_ngram"], own["compressed_vocab_size"], own["seed"]
    return engram.hashings(own["layer_ids"], own["engram_vocab_size"], heads, vocabulary, seed)


def recalled(x: torch.Tensor, ids: list[int], layer: int, config: dict, w: Weights) -> engram.Gated:
    """What Engram makes of the stream [T, h]."""
    path, own = f"model.layers.{layer}.engram", config["engram"]
    hashing, token_map = hashings(config)[layer], w[f"{path}.token_map"].tolist()
    rows = engram.row_ids([token_map[token] for token in ids], token_map[own["pad_id"]], hashing)
    e = engram.looked_up(w[f"{path}.multi_head_embedding.embedding.weight"], rows, hashing)
    return engram.paper(x[:, None], e, w, path, own["gate_norm_eps"], own["conv_norm_eps"])


def run(ids: list[int], config: dict, w: Weights, recalls: bool = True) -> tuple[torch.Tensor, Seen]:
    """Logits [T, vocabulary]. `recalls`: whether Engram takes part."""
    seen = Seen()
    x = w["model.embed_tokens.weight"][ids]
    for layer in range(config["num_hidden_layers"]):
        if recalls and layer in config["engram"]["layer_ids"]:
            seen.gated[layer] = recalled(x, ids, layer, config, w)
            x = x + seen.gated[layer].added[:, 0]
        x = deepseek_v32.block(x, layer, config, w, NUMERICS, seen, layer < config["first_k_dense_replace"])
    seen.hidden["norm"] = rms_norm(x, w["model.norm.weight"], config["rms_norm_eps"])
    return seen.hidden["norm"] @ w["lm_head.weight"].T, seen


def draft(hidden: torch.Tensor, next_ids: list[int], config: dict, w: Weights) -> tuple[torch.Tensor, deepseek_v32.Seen]:
    """As `deepseek_v32.draft`: the module has no Engram."""
    return deepseek_v32.draft(hidden, next_ids, config, w, NUMERICS)
