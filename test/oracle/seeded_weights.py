"""Weights from a seed, the same bits as seeded-weights.ts makes. README.md defines the generator."""

import re

import numpy as np

NORM = re.compile(r"(norm|norm[12]\.\d+|norms\.\d+)\.weight$|engram\.[qk]_weight$")


def fnv1a(data: bytes) -> int:
    """FNV-1a, 32 bits."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def mulberry32(seed: int, count: int) -> np.ndarray:
    """The first `count` outputs of mulberry32: its state is a counter, so all of them are made at once."""
    with np.errstate(over="ignore"):
        a = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        t = (a ^ (a >> np.uint32(15))) * (a | np.uint32(1))
        t = (t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))) ^ t
        return t ^ (t >> np.uint32(14))


def seeded_tensor(seed: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """f32; every value is exact in bf16 and f16 too."""
    count = int(np.prod(shape))
    bits = mulberry32(fnv1a(f"{seed}/{name}".encode()), count)
    if NORM.search(name):
        values = 1 + ((bits >> np.uint32(26)).astype(np.int64) - 32) / 2**7
    else:
        values = ((bits >> np.uint32(24)).astype(np.int64) - 128) / 2 ** shift_of(name, shape)
    return values.astype(np.float32).reshape(shape)


def seeded_codes(seed: int, name: str, shape: tuple[int, ...], kind: str) -> np.ndarray:
    """Bytes of `f8_e4m3`, no NaN among them, or of `f8_e8m0`, 2^-10 to 2^-7."""
    bits = mulberry32(fnv1a(f"{seed}/{name}".encode()), int(np.prod(shape)))
    high = bits >> np.uint32(24)
    codes = np.where(high & 127 == 127, high - 1, high) if kind == "f8_e4m3" else 117 + (bits >> np.uint32(30))
    return codes.astype(np.uint8).reshape(shape)


def shift_of(name: str, shape: tuple[int, ...]) -> int:
    if name.endswith(".bias"):
        return 8
    if name.endswith(".e_score_correction_bias"):
        return 9  # up to a quarter: scores of 0 to 1 still have a say
    if name.endswith("embed_tokens.weight"):
        return 7
    # about 1.2 to 2.3 times the variance-keeping 1 / sqrt(fan-in), so that no softmax is nearly flat
    return 6 + (shape[-1].bit_length() - 1) // 2


def checksum(tensor: np.ndarray) -> str:
    """FNV-1a of the tensor's bytes in row-major order, little-endian f32 if they are no codes, eight hex digits."""
    return f"{fnv1a(tensor.tobytes() if tensor.dtype == np.uint8 else tensor.astype('<f4').tobytes()):08x}"
