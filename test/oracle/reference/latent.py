"""Multi-head latent attention of V2 and later, in its plain form: queries, keys and values of every head."""

import math
from dataclasses import dataclass

import torch

from reference.formats import through_fp8
from reference.layers import Weights, frequencies, mscale, rms_norm, rotate_adjacent

LATENT_EPS = 1e-6  # whatever rms_norm_eps says


@dataclass(frozen=True)
class Projected:
    """[T, n, channels], rotated; and the compressed queries [T, r], if they are."""

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    cq: torch.Tensor | None


def angles_of(config: dict, length: int) -> torch.Tensor:
    scaling = config.get("rope_scaling")
    return torch.arange(length)[:, None] * frequencies(config["qk_rope_head_dim"], config["rope_theta"], scaling)


def softmax_scale(config: dict) -> float:
    plain = (config["qk_nope_head_dim"] + config["qk_rope_head_dim"]) ** -0.5
    scaling = config.get("rope_scaling")
    if scaling is None:
        return plain
    whole = mscale(scaling["factor"], scaling["mscale_all_dim"])
    assert math.isclose(mscale(scaling["factor"], scaling["mscale"]), whole), "cos and sin have no factor here"
    return plain * whole**2


def project(x: torch.Tensor, config: dict, w: Weights, path: str, fp8_margins: list[float] | None = None) -> Projected:
    """`fp8_margins`: given where the latent goes through FP8 before anything reads it."""
    heads, rank = config["num_attention_heads"], config["kv_lora_rank"]
    nope, rope, dim_v = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    angles = angles_of(config, len(x))
    if config["q_lora_rank"] is None:
        cq, q = None, x @ w[f"{path}.q_proj.weight"].T
    else:
        cq = rms_norm(x @ w[f"{path}.q_a_proj.weight"].T, w[f"{path}.q_a_layernorm.weight"], LATENT_EPS)
        q = cq @ w[f"{path}.q_b_proj.weight"].T
    qn, qr = q.unflatten(-1, (heads, nope + rope)).split([nope, rope], -1)
    latent, kr = (x @ w[f"{path}.kv_a_proj_with_mqa.weight"].T).split([rank, rope], -1)
    latent = rms_norm(latent, w[f"{path}.kv_a_layernorm.weight"], LATENT_EPS)
    if fp8_margins is not None:
        latent = through_fp8(latent, fp8_margins)
    kn, v = (latent @ w[f"{path}.kv_b_proj.weight"].T).unflatten(-1, (heads, nope + dim_v)).split([nope, dim_v], -1)
    kr = rotate_adjacent(kr, angles)[:, None].expand(-1, heads, -1)
    return Projected(torch.cat([qn, rotate_adjacent(qr, angles)], -1), torch.cat([kn, kr], -1), v, cq)


def latent_shapes(path: str, config: dict) -> dict[str, tuple[int, ...]]:
    """Of a layer at `path`: the norms around, and attention."""
    h, heads, rank = config["hidden_size"], config["num_attention_heads"], config["kv_lora_rank"]
    nope, rope, dim_v = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    rank_q = config["q_lora_rank"]
    queries = {"q_proj": (heads * (nope + rope), h)} if rank_q is None else {
        "q_a_proj": (rank_q, h),
        "q_a_layernorm": (rank_q,),
        "q_b_proj": (heads * (nope + rope), rank_q),
    }
    own = queries | {
        "kv_a_proj_with_mqa": (rank + rope, h),
        "kv_a_layernorm": (rank,),
        "kv_b_proj": (heads * (nope + dim_v), rank),
        "o_proj": (h, heads * dim_v),
    }
    return {
        f"{path}.input_layernorm.weight": (h,),
        f"{path}.post_attention_layernorm.weight": (h,),
        **{f"{path}.self_attn.{name}.weight": shape for name, shape in own.items()},
    }
