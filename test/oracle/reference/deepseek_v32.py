"""DeepSeek-V3.2: V3 with an indexer in every layer, in the numerics of the official code or, with `exact`, without its
transform and its 8-bit rounding. Also its MTP module. Axes: T positions, h hidden channels, n heads, H index heads."""

from dataclasses import dataclass, field

import torch

from reference.experts import Routed, best, mixture, mixture_shapes, sigmoid_biased
from reference.formats import hadamard, through_fp8
from reference.latent import angles_of, latent_shapes, project, softmax_scale
from reference.layers import Weights, attention, causal, feed_forward_shapes, layer_norm, rms_norm, rotate_halves, swiglu

INDEX_EPS = 1e-6


@dataclass(frozen=True)
class Numerics:
    exact: bool  # no Hadamard transform and no FP8 in the indexer
    fp8_latent: bool  # the latent goes through FP8 before anything reads it


@dataclass(frozen=True)
class Selected:
    positions: list[list[int]]  # by position, ascending
    gaps: torch.Tensor  # [T]: inf where nothing was left out


@dataclass
class Seen:
    """What a run leaves beside its results."""

    hidden: dict[str, torch.Tensor] = field(default_factory=dict)
    experts: dict[int, Routed] = field(default_factory=dict)
    selected: dict[int, Selected] = field(default_factory=dict)
    latent_margins: list[float] = field(default_factory=list)
    index_margins: list[float] = field(default_factory=list)


def index_scores(
    x: torch.Tensor, cq: torch.Tensor, config: dict, w: Weights, path: str, numerics: Numerics, seen: Seen
) -> torch.Tensor:
    """[T, S], before masking."""
    heads, dim, rope = config["index_n_heads"], config["index_head_dim"], config["qk_rope_head_dim"]
    angles = angles_of(config, len(x))
    lead = lambda y: torch.cat([rotate_halves(y[..., :rope], angles), y[..., rope:]], -1)  # noqa: E731
    q = lead((cq @ w[f"{path}.wq_b.weight"].T).unflatten(-1, (heads, dim)))
    k = x @ w[f"{path}.wk.weight"].T
    k = lead(layer_norm(k, w[f"{path}.k_norm.weight"], w[f"{path}.k_norm.bias"], INDEX_EPS))
    if not numerics.exact:
        q, k = (through_fp8(hadamard(y), seen.index_margins) for y in (q, k))
    weights = x @ w[f"{path}.weights_proj.weight"].T * heads**-0.5 * dim**-0.5
    return torch.einsum("th,ths->ts", weights, torch.einsum("thd,sd->ths", q, k).relu())


def select(scores: torch.Tensor, k: int) -> Selected:
    positions, gaps = [], []
    for t, row in enumerate(scores):
        chosen, gap = best(row[: t + 1], min(k, t + 1))
        positions.append(sorted(chosen.tolist()))
        gaps.append(gap)
    return Selected(positions, torch.stack(gaps))


def attend(x: torch.Tensor, layer: int, config: dict, w: Weights, numerics: Numerics, seen: Seen) -> torch.Tensor:
    path = f"model.layers.{layer}.self_attn"
    made = project(x, config, w, path, seen.latent_margins if numerics.fp8_latent else None)
    scores = index_scores(x, made.cq, config, w, f"{path}.indexer", numerics, seen)
    seen.selected[layer] = select(scores, config["index_topk"])
    sees = torch.zeros(len(x), len(x), dtype=torch.bool)
    for t, positions in enumerate(seen.selected[layer].positions):
        sees[t, positions] = True
    assert not (sees & ~causal(len(x))).any()
    return attention(made.q, made.k, made.v, softmax_scale(config), sees) @ w[f"{path}.o_proj.weight"].T


def block(
    x: torch.Tensor, layer: int, config: dict, w: Weights, numerics: Numerics, seen: Seen, dense: bool
) -> torch.Tensor:
    path, eps = f"model.layers.{layer}", config["rms_norm_eps"]
    x = x + attend(rms_norm(x, w[f"{path}.input_layernorm.weight"], eps), layer, config, w, numerics, seen)
    n = rms_norm(x, w[f"{path}.post_attention_layernorm.weight"], eps)
    if dense:
        return x + swiglu(n, w, f"{path}.mlp")
    seen.experts[layer] = sigmoid_biased(
        n @ w[f"{path}.mlp.gate.weight"].T,
        w[f"{path}.mlp.gate.e_score_correction_bias"],
        config["num_experts_per_tok"],
        config["n_group"],
        config["topk_group"],
        config["norm_topk_prob"],
        config["routed_scaling_factor"],
    )
    return x + mixture(n, seen.experts[layer], w, f"{path}.mlp")


def run(ids: list[int], config: dict, w: Weights, numerics: Numerics) -> tuple[torch.Tensor, Seen]:
    """Logits [T, vocabulary]."""
    seen = Seen()
    x = seen.hidden["embed"] = w["model.embed_tokens.weight"][ids]
    for layer in range(config["num_hidden_layers"]):
        x = block(x, layer, config, w, numerics, seen, layer < config["first_k_dense_replace"])
        seen.hidden[f"block.{layer}"] = x
    seen.hidden["norm"] = rms_norm(x, w["model.norm.weight"], config["rms_norm_eps"])
    return seen.hidden["norm"] @ w["lm_head.weight"].T, seen


def draft(
    hidden: torch.Tensor, next_ids: list[int], config: dict, w: Weights, numerics: Numerics
) -> tuple[torch.Tensor, Seen]:
    """Logits [T, vocabulary] of the token after `next_ids[i]`, from the normed hidden state at i and that token."""
    layer, eps = config["num_hidden_layers"], config["rms_norm_eps"]
    path, seen = f"model.layers.{layer}", Seen()
    embedded = rms_norm(w["model.embed_tokens.weight"][next_ids], w[f"{path}.enorm.weight"], eps)
    joined = torch.cat([embedded, rms_norm(hidden, w[f"{path}.hnorm.weight"], eps)], -1)
    x = block(joined @ w[f"{path}.eh_proj.weight"].T, layer, config, w, numerics, seen, dense=False)
    seen.hidden["mtp"] = rms_norm(x, w[f"{path}.shared_head.norm.weight"], eps)
    return seen.hidden["mtp"] @ w["lm_head.weight"].T, seen


def shapes(config: dict) -> dict[str, tuple[int, ...]]:
    """Tensors of a checkpoint by their published names, with those of an MTP module behind the last layer if it has one."""
    h, vocabulary = config["hidden_size"], config["vocab_size"]
    heads, dim = config["index_n_heads"], config["index_head_dim"]
    layers = config["num_hidden_layers"]
    found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocabulary, h)}
    for layer in range(layers + config.get("num_nextn_predict_layers", 0)):
        path = f"model.layers.{layer}"
        found |= latent_shapes(path, config) | {
            f"{path}.self_attn.indexer.wq_b.weight": (heads * dim, config["q_lora_rank"]),
            f"{path}.self_attn.indexer.wk.weight": (dim, h),
            f"{path}.self_attn.indexer.k_norm.weight": (dim,),
            f"{path}.self_attn.indexer.k_norm.bias": (dim,),
            f"{path}.self_attn.indexer.weights_proj.weight": (heads, h),
        }
        if layer < min(layers, config["first_k_dense_replace"]):
            found |= feed_forward_shapes(f"{path}.mlp", h, config["intermediate_size"])
            continue
        found |= mixture_shapes(f"{path}.mlp", config)
        found[f"{path}.mlp.gate.e_score_correction_bias"] = (config["n_routed_experts"],)
        if layer >= layers:
            found |= {f"{path}.{name}.weight": (h,) for name in ("enorm", "hnorm", "shared_head.norm")}
            found[f"{path}.eh_proj.weight"] = (h, 2 * h)
    return found | {"model.norm.weight": (h,), "lm_head.weight": (vocabulary, h)}
