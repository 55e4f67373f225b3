"""Norms, rotations, feed-forward and attention of the DeepSeek language models, as their papers write them: one sequence,
every position at once, in whatever real type the weights have. Axes: T positions, h hidden channels, n heads."""

import math

import torch

Weights = dict[str, torch.Tensor]


def rms_norm(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return weight * x / (x.square().mean(-1, keepdim=True) + eps).sqrt()


def layer_norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: float) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return weight * centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt() + bias


def swiglu(x: torch.Tensor, w: Weights, path: str) -> torch.Tensor:
    gate, up = x @ w[f"{path}.gate_proj.weight"].T, x @ w[f"{path}.up_proj.weight"].T
    return (gate * gate.sigmoid() * up) @ w[f"{path}.down_proj.weight"].T


def feed_forward_shapes(path: str, hidden: int, width: int) -> dict[str, tuple[int, ...]]:
    return {
        f"{path}.gate_proj.weight": (width, hidden),
        f"{path}.up_proj.weight": (width, hidden),
        f"{path}.down_proj.weight": (hidden, width),
    }


def mscale(factor: float, by: float) -> float:
    return 0.1 * by * math.log(factor) + 1 if factor > 1 else 1.0


def frequencies(dim: int, base: float, scaling: dict | None) -> torch.Tensor:
    """Radians a position, for each of the dim / 2 pairs; YaRN where `scaling` says so."""
    pair = torch.arange(dim // 2, dtype=torch.float64)
    plain = base ** (-2 * pair / dim)
    if scaling is None:
        return plain
    turns = lambda beta: dim * math.log(scaling["original_max_position_embeddings"] / (2 * math.pi * beta)) / (2 * math.log(base))  # noqa: E731,E501
    low = max(math.floor(turns(scaling["beta_fast"])), 0)
    high = min(math.ceil(turns(scaling["beta_slow"])), dim - 1)
    ramp = ((pair - low) / (high - low if high > low else 0.001)).clamp(0, 1)
    return plain / scaling["factor"] * ramp + plain * (1 - ramp)


def rotate_adjacent(x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Pairs (0, 1), (2, 3) and on of the last axis; `angles` [T, pairs], one row for every first index of x."""
    return torch.stack(turned(x[..., 0::2], x[..., 1::2], angles), -1).flatten(-2)


def rotate_halves(x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Channel i is paired with i + half."""
    half = x.shape[-1] // 2
    return torch.cat(turned(x[..., :half], x[..., half:], angles), -1)


def turned(a: torch.Tensor, b: torch.Tensor, angles: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    shape = (len(angles), *[1] * (a.dim() - 2), angles.shape[-1])
    cos, sin = angles.cos().to(a).view(shape), angles.sin().to(a).view(shape)
    return a * cos - b * sin, b * cos + a * sin


def causal(length: int) -> torch.Tensor:
    """[T, S]: whether position t sees s."""
    return torch.ones(length, length, dtype=torch.bool).tril()


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, seen: torch.Tensor) -> torch.Tensor:
    """[T, n, d] of queries, keys, values, and [T, S] of who sees whom; [T, n * dv]."""
    scores = torch.einsum("tnd,snd->nts", q, k) * scale
    weights = scores.masked_fill(~seen, float("-inf")).softmax(-1)
    return torch.einsum("nts,snd->tnd", weights, v).flatten(1)
