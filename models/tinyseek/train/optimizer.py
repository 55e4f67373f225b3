"""AdamW with the groups that the architecture wants, and the bias that balances the experts."""

import math

import torch
from torch import nn

from model import Mixture, TinySeek

BETAS, DECAY = (0.9, 0.95), 0.1
PEAK, WARM_UP, LEAST = 3e-3, 200, 0.1  # learning rate, steps, and what is left of the rate at the end
TABLES = 5.0  # times the rate: a row is met seldom. Engram, sec. 4
BIAS_STEP = (1e-2, 1e-3)  # during warm-up, where one expert would take all, and after; DeepSeek-V3, sec. 4.2, has 1e-3


def optimizer_of(model: TinySeek) -> torch.optim.AdamW:
    """Matrices decay; gains, shifts, embeddings and tables do not."""
    embeddings = {id(part.weight) for part in model.modules() if isinstance(part, nn.Embedding)}
    matrices, tables, others = [], [], []
    for name, parameter in model.named_parameters():
        if ".engram.multi_head_embedding." in name:
            tables.append(parameter)
        elif parameter.dim() < 2 or id(parameter) in embeddings or ".short_conv." in name:
            others.append(parameter)
        else:
            matrices.append(parameter)
    groups = [
        {"params": matrices, "weight_decay": DECAY, "times": 1.0},
        {"params": others, "weight_decay": 0.0, "times": 1.0},
        {"params": tables, "weight_decay": 0.0, "times": TABLES},
    ]
    return torch.optim.AdamW(groups, lr=PEAK, betas=BETAS, fused=True)


def set_rate(optimizer: torch.optim.Optimizer, step: int, steps: int, cool: int) -> None:
    """Linear warm-up, then a cosine, then linearly to nothing."""
    done = min(1, max(0, step - WARM_UP) / max(1, steps - WARM_UP))
    rate = PEAK * min(1, (step + 1) / WARM_UP) * (LEAST + (1 - LEAST) * (1 + math.cos(math.pi * done)) / 2)
    rate *= min(1, (steps + cool - step) / max(1, cool))
    for group in optimizer.param_groups:
        group["lr"] = rate * group["times"]


@torch.no_grad()
def balance(model: TinySeek, loads: dict[int, torch.Tensor], step: int) -> None:
    """Experts that had more than their share become less likely to be chosen. DeepSeek-V3, sec. 2.1.2."""
    for part in model.modules():
        if isinstance(part, Mixture):
            load = loads[part.layer]
            part.gate.e_score_correction_bias += BIAS_STEP[step >= WARM_UP] * torch.sign(load.mean() - load)
