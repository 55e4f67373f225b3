"""Records e4m3 codes and the multiplier of each block of 128 x 128 for matrices from seeds: amax over 448 in f32, numbers divided by it and
cast by torch to float8_e4m3fn, as the official code's kernels do it.

    python record_packed.py            writes recorded-packed/*.json
    python record_packed.py --check    compares with what is there, byte for byte
"""

import base64
from dataclasses import dataclass
from pathlib import Path

import numpy
import torch

from record_dense import write_all
from recording import PINNED, compact, written
from seeded_weights import checksum, fnv1a, mulberry32

FOLDER = Path(__file__).parent / "recorded-packed"
BLOCK = 128
LARGEST = torch.tensor(448.0)
LEAST = torch.tensor(2.0**-126)


def spread(name: str, shape: tuple[int, int]) -> numpy.ndarray:
    """f32: all 24 bits of the significand, over 16 octaves below 1."""
    bits = mulberry32(fnv1a(name.encode()), shape[0] * shape[1]).astype(numpy.int64)
    return (((bits >> 8) - 2**23) * 2.0 ** -(23 + (bits & 15))).astype(numpy.float32).reshape(shape)


def narrow(name: str, shape: tuple[int, int]) -> numpy.ndarray:
    """What bf16 holds of `spread`."""
    return torch.from_numpy(spread(name, shape)).bfloat16().float().numpy()


def uneven(name: str, shape: tuple[int, int]) -> numpy.ndarray:
    """Blocks of magnitudes that are far apart, from beyond those of weights to where f32 has no normal numbers."""
    rows, columns = (numpy.arange(n) // BLOCK for n in shape)
    exponents = numpy.array([[0, 90, -60], [-120, -130, 127]])[rows[:, None] % 2, columns[None, :] % 3]
    return (spread(name, shape).astype(numpy.float64) * 2.0**exponents).astype(numpy.float32)


def zeros(name: str, shape: tuple[int, int]) -> numpy.ndarray:
    """The first block is zeros of both signs, the others are not."""
    values = spread(name, shape)
    values[:BLOCK, :BLOCK] = numpy.where(values[:BLOCK, :BLOCK] < 0, numpy.float32(-0.0), numpy.float32(0.0))
    return values


def ties(name: str, shape: tuple[int, int]) -> numpy.ndarray:
    """One block with a multiplier of 1: every middle of two neighbours of the format, and the f32 on both sides of it."""
    codes = torch.arange(0, 127, dtype=torch.uint8).view(torch.float8_e4m3fn).float().numpy()
    middles = (codes[1:] + codes[:-1]) / 2
    up, down = numpy.float32(numpy.inf), numpy.float32(0)
    near = numpy.concatenate([middles, numpy.nextafter(middles, up), numpy.nextafter(middles, down)])
    flat = numpy.concatenate([numpy.float32([448]), near, -near])
    assert flat.size <= shape[0] * shape[1] and flat.dtype == numpy.float32
    return numpy.resize(flat, shape)


def quotients(name: str, shape: tuple[int, int]) -> numpy.ndarray:
    """One block with a multiplier that is no power of two: f32 quotients of these fall on the middle of two neighbours, exact ones
    beside it."""
    top = numpy.float32(0.7310586)
    scale = top / numpy.float32(448)
    codes = torch.arange(0, 127, dtype=torch.uint8).view(torch.float8_e4m3fn).float().numpy()
    near = ((codes[1:] + codes[:-1]) / 2 * scale).astype(numpy.float32)
    return numpy.resize(numpy.concatenate([top[None], near, -near]), shape)


@dataclass(frozen=True)
class Case:
    make: object
    shape: tuple[int, int]
    dtype: str = "f32"
    pow2: bool = False


CASES = {
    "ragged": Case(spread, (200, 70)),
    "ragged-pow2": Case(spread, (70, 200), pow2=True),
    "bf16": Case(narrow, (56, 128), dtype="bf16"),
    "uneven": Case(uneven, (140, 260)),
    "zeros": Case(zeros, (130, 140)),
    "zeros-pow2": Case(zeros, (1, 129), pow2=True),
    "ties": Case(ties, (6, 127)),
    "quotients": Case(quotients, (2, 127)),
}


def multipliers(tops: torch.Tensor, pow2: bool) -> torch.Tensor:
    """f32. A block of zeros has 1; none is below the smallest normal number."""
    scales = torch.maximum(tops / LARGEST, LEAST)
    if pow2:
        significand, exponent = torch.frexp(scales)
        scales = torch.ldexp(torch.ones(()), torch.where(significand == 0.5, exponent - 1, exponent))
    return torch.where(tops == 0, torch.ones(()), scales)


def packed(values: torch.Tensor, pow2: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes as bytes, [rows, columns], and multipliers, [blocks down, blocks across]."""
    rows, columns = values.shape
    down, across = -(-rows // BLOCK), -(-columns // BLOCK)
    padded = torch.zeros(down * BLOCK, across * BLOCK)
    padded[:rows, :columns] = values
    tops = padded.view(down, BLOCK, across, BLOCK).abs().amax((1, 3))
    scales = multipliers(tops, pow2)
    wide = scales.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)[:rows, :columns]
    return (values / wide).clamp(-448, 448).to(torch.float8_e4m3fn).view(torch.uint8), scales


def errors(values: torch.Tensor, codes: torch.Tensor, scales: torch.Tensor) -> dict[str, float]:
    """In f64: the largest difference over the largest magnitude, the sum of all over the sum of magnitudes."""
    rows, columns = values.shape
    wide = scales.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)[:rows, :columns].double()
    apart = (codes.view(torch.float8_e4m3fn).double() * wide - values.double()).abs()
    size = values.double().abs()
    return {"largest": float(apart.max() / size.max()), "mean": float(apart.sum() / size.sum())}


def base64_of(tensor: torch.Tensor) -> str:
    return base64.b64encode(tensor.contiguous().numpy().tobytes()).decode()


def record(name: str, case: Case) -> str:
    values = torch.from_numpy(case.make(name, case.shape))
    assert bool(values.isfinite().all())
    codes, scales = packed(values, case.pow2)
    made = errors(values, codes, scales)
    print(f"{name}: {tuple(scales.shape)} blocks, largest {made['largest']:.4f}, mean {made['mean']:.4f}")
    return written(
        [
            f'"name": "{name}"',
            f'"versions": {compact({"torch": PINNED[torch], "numpy": PINNED[numpy]})}',
            f'"made": "{case.make.__name__}"',
            f'"dtype": "{case.dtype}"',
            f'"pow2": {compact(case.pow2)}',
            f'"shape": {compact(list(case.shape))}',
            f'"checksum": "{checksum(values.numpy())}"',
            f'"blocks": {compact(list(scales.shape))}',
            f'"multipliers": "{base64_of(scales)}"',
            f'"codes": "{base64_of(codes)}"',
            f'"errors": {compact(made)}',
        ]
    )


if __name__ == "__main__":
    write_all(CASES, FOLDER, record)
