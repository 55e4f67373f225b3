"""What a model chose: the experts of every token, and the positions its indexers let it attend to."""

from contextlib import AbstractContextManager

import torch
from torch.overrides import TorchFunctionMode

GAP_DIGITS = 3


class Choices(TorchFunctionMode):
    """Keeps every `topk` that a router or an indexer calls, by the module that is running."""

    def __init__(self, model):
        super().__init__()
        self.running = None
        self.calls: dict[str, list[list[tuple[torch.Tensor, int, torch.Tensor]]]] = {}
        for name, module in model.named_modules():
            if name.endswith((".mlp.gate", ".self_attn.indexer")):
                module.register_forward_pre_hook(lambda _module, _inputs, name=name: self.enter(name))
                module.register_forward_hook(lambda _module, _inputs, _output: self.leave())

    def enter(self, name: str) -> None:
        self.running = self.calls.setdefault(name, [])
        self.running.append([])

    def leave(self) -> None:
        self.running = None

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if self.running is not None and function in (torch.topk, torch.Tensor.topk):
            values = args[0].detach()
            k = args[1] if len(args) > 1 else kwargs["k"]
            self.running[-1].append((values.reshape(-1, values.shape[-1]), k, result[1].reshape(-1, k)))
        return result


def gap(scores: torch.Tensor, k: int) -> float:
    """From the least score that is taken to the greatest one that is not: how far a choice is from another."""
    ordered = scores.sort(descending=True).values
    return float(ordered[k - 1] - ordered[k]) if k < len(ordered) else float("inf")


def shown(value: float) -> float | None:
    """Nothing is left out: there is no gap."""
    return None if value == float("inf") else float(f"{value:.{GAP_DIGITS}g}")


def routed(calls: list[list[tuple[torch.Tensor, int, torch.Tensor]]]) -> dict[str, list]:
    """A router calls topk for the groups, if it has any, and last for the experts; a `topk` of two scores a group ranks
    groups only. A gap is the least of both decisions'."""
    experts, gaps = [], []
    for call in calls:
        choosing = [(scores, k, taken) for scores, k, taken in call if len(scores) == len(call[-1][0])]
        experts += call[-1][2].sort().values.tolist()
        for token in range(len(call[-1][0])):
            gaps.append(shown(min(gap(scores[token], k) for scores, k, _ in choosing)))
    return {"experts": experts, "gaps": gaps}


def selected(calls: list[list[tuple[torch.Tensor, int, torch.Tensor]]]) -> dict[str, list]:
    """Positions a token may not see are among the best when there are too few; they are masked again, so not listed."""
    positions, gaps = [], []
    for [(scores, k, taken)] in calls:
        for row, chosen in zip(scores, taken):
            seen = len(positions) + 1
            positions.append(sorted(position for position in chosen.tolist() if position < seen))
            gaps.append(shown(gap(row[:seen], k) if k < seen else float("inf")))
    return {"positions": positions, "gaps": gaps}


def watch(model) -> tuple[AbstractContextManager, callable]:
    mode = Choices(model)

    def choices() -> dict[str, dict[int, dict]]:
        layers = {name: int(name.split(".layers.")[1].split(".")[0]) for name in mode.calls}
        of = lambda part, read: {layers[name]: read(c) for name, c in mode.calls.items() if name.endswith(part)}  # noqa: E731
        found = {"experts": of(".gate", routed), "selected": of(".indexer", selected)}
        return {kind: by_layer for kind, by_layer in found.items() if by_layer}

    return mode, choices
