"""Routers and experts. A router gives, for every position, the experts it takes, their weights, and how near the nearest
other choice was."""

from dataclasses import dataclass

import torch

from reference.layers import Weights, feed_forward_shapes, swiglu


@dataclass(frozen=True)
class Routed:
    experts: torch.Tensor  # [T, k], descending by the score that decides
    weights: torch.Tensor  # [T, k]
    gaps: torch.Tensor  # [T]: inf where nothing was left out


def best(scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k greatest of a row, of equal ones the first; and from the last that is taken to the first that is not."""
    order = scores.argsort(dim=-1, descending=True, stable=True)
    ordered = scores.gather(-1, order)
    none = torch.full_like(ordered[..., 0], float("inf"))
    return order[..., :k], (ordered[..., k - 1] - ordered[..., k] if k < scores.shape[-1] else none)


def softmax_greedy(logits: torch.Tensor, k: int, scale: float) -> Routed:
    """DeepSeekMoE and V2-Lite: the best of the softmax, its values as they are."""
    scores = logits.softmax(-1)
    experts, gaps = best(scores, k)
    return Routed(experts, scores.gather(-1, experts) * scale, gaps)


def sigmoid_biased(
    logits: torch.Tensor, bias: torch.Tensor, k: int, groups: int, kept: int, normed: bool, scale: float
) -> Routed:
    """V3: the best of sigmoid + bias among the groups whose two best have the greatest sums; weights have no bias."""
    scores = logits.sigmoid()
    grouped = (scores + bias).unflatten(-1, (groups, -1))
    ranks = grouped.sort(-1, descending=True).values[..., :2].sum(-1)
    chosen, group_gaps = best(ranks, kept)
    dropped = torch.ones_like(ranks, dtype=torch.bool).scatter(-1, chosen, False)
    experts, gaps = best(grouped.masked_fill(dropped[..., None], float("-inf")).flatten(-2), k)
    weights = scores.gather(-1, experts)
    if normed:
        weights = weights / (weights.sum(-1, keepdim=True) + 1e-20)
    return Routed(experts, weights * scale, torch.minimum(gaps, group_gaps))


def mixture(x: torch.Tensor, routed: Routed, w: Weights, path: str) -> torch.Tensor:
    """The experts of each position by their weights, and the shared ones, which are one feed-forward of their width."""
    rows = []
    for t, row in enumerate(x):
        parts = zip(routed.experts[t].tolist(), routed.weights[t])
        rows.append(sum(weight * swiglu(row, w, f"{path}.experts.{expert}") for expert, weight in parts))
    return torch.stack(rows) + swiglu(x, w, f"{path}.shared_experts")


def mixture_shapes(path: str, config: dict) -> dict[str, tuple[int, ...]]:
    h, width = config["hidden_size"], config["moe_intermediate_size"]
    found: dict[str, tuple[int, ...]] = {f"{path}.gate.weight": (config["n_routed_experts"], h)}
    for expert in range(config["n_routed_experts"]):
        found |= feed_forward_shapes(f"{path}.experts.{expert}", h, width)
    return found | feed_forward_shapes(f"{path}.shared_experts", h, width * config["n_shared_experts"])
