"""stories260K: the trained LLaMA of 260 thousand weights whose stories and whose probabilities TinySeek learns from.
`DATA/stories260K/SOURCE.md` has the layout of the file and the arithmetic.

Axes: B rows of a batch, T positions of a call, S positions so far, d 64 channels, v 512 tokens."""

import struct
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

VOCABULARY, CONTEXT = 512, 512
EPS, THETA = 1e-5, 10000.0


def rotate_pairs(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """x [B, T, heads, w], cos and sin [T, 1, w / 2]: adjacent channels are turned together."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


def norm(x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    return F.rms_norm(x, gain.shape, gain, EPS)


class Teacher:
    def __init__(self, file: Path):
        raw = file.read_bytes()
        dim, hidden, layers, self.heads, self.kv_heads, vocabulary, context = struct.unpack("<7i", raw[:28])
        assert (vocabulary, context) == (VOCABULARY, CONTEXT), "not stories260K"
        self.width, self.layers = dim // self.heads, layers
        kv = self.kv_heads * self.width
        values, at = torch.from_numpy(np.frombuffer(raw, "<f4", offset=28).copy()), 0

        def take(*shape: int) -> torch.Tensor:
            nonlocal at
            size = int(np.prod(shape))
            at += size
            return values[at - size : at].view(shape)

        self.embed = take(vocabulary, dim)
        self.norm1 = take(layers, dim)
        self.q, self.k, self.v = take(layers, dim, dim), take(layers, kv, dim), take(layers, kv, dim)
        self.o, self.norm2 = take(layers, dim, dim), take(layers, dim)
        self.gate, self.down, self.up = take(layers, hidden, dim), take(layers, dim, hidden), take(layers, hidden, dim)
        self.norm = take(dim)
        half = torch.arange(self.width // 2, dtype=torch.float64)
        angles = torch.arange(context, dtype=torch.float64)[:, None] * THETA ** (-2 * half / self.width)
        self.cos, self.sin = angles.cos().float()[:, None], angles.sin().float()[:, None]

    def memory(self, rows: int) -> torch.Tensor:
        """[layer, key or value, B, head, S, w]"""
        return torch.zeros(self.layers, 2, rows, self.kv_heads, CONTEXT, self.width)

    @torch.no_grad()
    def logits(self, ids: torch.Tensor, memory: torch.Tensor | None = None, start: int = 0) -> torch.Tensor:
        """ids [B, T] at the positions from `start` on -> [B, T, v]. Without a memory they are all there is."""
        end = start + ids.shape[1]
        cos, sin = self.cos[start:end], self.sin[start:end]
        x = F.embedding(ids, self.embed)
        for layer in range(self.layers):
            n = norm(x, self.norm1[layer])
            heads = lambda w, count: (n @ w[layer].T).unflatten(-1, (count, self.width))  # noqa: B023, E731
            q = rotate_pairs(heads(self.q, self.heads), cos, sin).transpose(1, 2)
            k = rotate_pairs(heads(self.k, self.kv_heads), cos, sin).transpose(1, 2)
            v = heads(self.v, self.kv_heads).transpose(1, 2)
            if memory is not None:
                memory[layer, 0, :, :, start:end], memory[layer, 1, :, :, start:end] = k, v
                k, v = memory[layer, 0, :, :, :end], memory[layer, 1, :, :, :end]
            one = ids.shape[1] == 1
            a = F.scaled_dot_product_attention(q, k, v, is_causal=not one, enable_gqa=True)
            x = x + a.transpose(1, 2).flatten(2) @ self.o[layer].T
            n = norm(x, self.norm2[layer])
            x = x + (F.silu(n @ self.gate[layer].T) * (n @ self.up[layer].T)) @ self.down[layer].T
        return norm(x, self.norm) @ self.embed.T

    def stories(self, rows: int, begin: int, temperature: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """[B, CONTEXT + 1] ids, each row from `begin` on; `temperature` [B]. A story that ends is followed by another."""
        ids = torch.full((rows, CONTEXT + 1), begin)
        memory = self.memory(rows)
        for at in range(CONTEXT):
            logits = self.logits(ids[:, at : at + 1], memory, at)[:, 0] / temperature[:, None]
            # the largest of p / Exp(1) is distributed as p
            noise = torch.empty_like(logits).exponential_(generator=generator)
            ids[:, at + 1] = (logits.softmax(-1) / noise).argmax(-1)
        return ids
