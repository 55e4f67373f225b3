"""Engram: rows of a hashed n-gram table, gated into residual streams. Two forms: the paper's, of orders 2 and 3, with
biases, norms for every stream and a short convolution; and the one of production, with orders 2 to 4, fused weights and
tables of FP8. Axes: T positions, m streams, d hidden channels, E the width of all rows of a position together."""

from dataclasses import dataclass

import numpy as np
import torch

from reference.formats import decode_e4m3, decode_ue8m0
from reference.layers import Weights, rms_norm

LEAST = 1e-6  # under the root of a gate
SCALE_GROUP = 32


@dataclass(frozen=True)
class Hashing:
    """Of one layer."""

    multipliers: list[int]  # by how many tokens back
    sizes: list[list[int]]  # [order - 2][head]: primes

    @property
    def offsets(self) -> list[int]:
        flat = [size for sizes in self.sizes for size in sizes]
        return [sum(flat[:i]) for i in range(len(flat))]

    @property
    def rows(self) -> int:
        return sum(sum(sizes) for sizes in self.sizes)


def is_prime(n: int) -> bool:
    return n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))


def hashings(layers: list[int], bases: list[int], heads: int, vocabulary: int, seed: int) -> dict[int, Hashing]:
    """`bases`: the size from which primes are looked for, by order; `vocabulary`: of compressed ids. No prime is taken
    twice, in any layer."""
    taken: set[int] = set()
    found = {}
    for layer in layers:
        bound = max(1, (2**63 - 1) // vocabulary // 2)
        draws = np.random.default_rng(seed + 10007 * layer).integers(0, bound, size=len(bases) + 1, dtype=np.int64)
        sizes = []
        for base in bases:
            candidate, primes = base, []
            while len(primes) < heads:
                if is_prime(candidate) and candidate not in taken:
                    taken.add(candidate)
                    primes.append(candidate)
                candidate += 1
            sizes.append(primes)
        found[layer] = Hashing([2 * int(draw) + 1 for draw in draws], sizes)
    return found


def row_ids(compressed: list[int], pad: int, hashing: Hashing) -> list[list[int]]:
    """[T][order and head], within the range of each head: the offset is not added."""
    rows = []
    for t in range(len(compressed)):
        mix, row = 0, []
        for back, multiplier in enumerate(hashing.multipliers):
            mix ^= (compressed[t - back] if t >= back else pad) * multiplier
            if back > 0:
                row += [mix % size for size in hashing.sizes[back - 1]]
        rows.append(row)
    return rows


def looked_up(table: torch.Tensor, rows: list[list[int]], hashing: Hashing) -> torch.Tensor:
    """[T, E]"""
    return table[torch.tensor(rows) + torch.tensor(hashing.offsets)].flatten(1)


@dataclass(frozen=True)
class Gated:
    gates: torch.Tensor  # [T, m]
    z: torch.Tensor  # [T, m]: what the gates are of, before the root
    added: torch.Tensor  # [T, m, d]: to be added to the streams


def paper(streams: torch.Tensor, e: torch.Tensor, w: Weights, path: str, gate_eps: float, conv_eps: float) -> Gated:
    _, count, d = streams.shape
    keys = [e @ w[f"{path}.key_projs.{m}.weight"].T + w[f"{path}.key_projs.{m}.bias"] for m in range(count)]
    value = e @ w[f"{path}.value_proj.weight"].T + w[f"{path}.value_proj.bias"]
    normed = [
        rms_norm(keys[m], w[f"{path}.norm1.{m}.weight"], gate_eps)
        * rms_norm(streams[:, m], w[f"{path}.norm2.{m}.weight"], gate_eps)
        for m in range(count)
    ]
    z = torch.stack(normed, 1).sum(-1) / d**0.5
    gates = (z.sign() * z.abs().clamp(min=LEAST).sqrt()).sigmoid()
    u = gates[..., None] * value[:, None]
    return Gated(gates, z, u + short_convolution(u, w, path, conv_eps))


def short_convolution(u: torch.Tensor, w: Weights, path: str, eps: float) -> torch.Tensor:
    """Depthwise and causal: tap i of w sees the position (w - 1 - i) * dilation back; the dilation is 3, the largest
    order of n-grams."""
    length, count, _ = u.shape
    normed = torch.stack([rms_norm(u[:, m], w[f"{path}.short_conv.norms.{m}.weight"], eps) for m in range(count)], 1)
    kernel = w[f"{path}.short_conv.conv.weight"]  # [m * d, 1, taps]
    taps = kernel.shape[-1]
    total = torch.zeros_like(u)
    for tap in range(taps):
        back = (taps - 1 - tap) * 3
        if back < length:
            total[back:] += kernel[:, 0, tap].view(u.shape[1:]) * normed[: length - back]
    return total * total.sigmoid()


def fp8_table(w: Weights, path: str) -> torch.Tensor:
    """Codes [rows, D] and one scale for 32 of them."""
    scale = decode_ue8m0(w[f"{path}.embed.scale"]).repeat_interleave(SCALE_GROUP, -1)
    return decode_e4m3(w[f"{path}.embed.weight"]) * scale


def production(streams: torch.Tensor, e: torch.Tensor, w: Weights, path: str) -> Gated:
    _, count, d = streams.shape
    keys, value = (e @ w[f"{path}.wkv.weight"].T).split([count * d, d], -1)
    keys = keys.unflatten(-1, (count, d))
    rstd = (streams.square().mean(-1) + 1e-20).rsqrt() * (keys.square().mean(-1) + 1e-20).rsqrt()
    weights = w[f"{path}.q_weight"] * w[f"{path}.k_weight"]
    z = (streams * weights * keys).sum(-1) * rstd * d**-0.5
    gates = z.abs().clamp(min=LEAST).sqrt().copysign(z).sigmoid()
    return Gated(gates, z, gates[..., None] * value[:, None])
