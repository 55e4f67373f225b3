"""Records a product in whole numbers of 8 bits as NumPy computes it: rows rounded to the nearest multiple of their largest number over 127,
one such step a block, ties to even; sums of a block in i64; what is made of them in f64.

    python record_int8.py            writes recorded-int8/linear.json
    python record_int8.py --check    compares with what is there, byte for byte
"""

import base64
import json
import sys
from pathlib import Path

import numpy

from seeded_weights import fnv1a, mulberry32

FILE = Path(__file__).parent / "recorded-int8" / "linear.json"
TOKENS, ROWS, BLOCKS, B = 6, 7, 3, 32
f32 = numpy.float32


def numbers(name: str, rows: int) -> numpy.ndarray:
    """f32: all 24 bits of the significand, over 4 octaves below 1."""
    bits = mulberry32(fnv1a(name.encode()), rows * BLOCKS * B).astype(numpy.int64)
    return (((bits >> 8) - 2**23) * 2.0 ** -(23 + (bits & 3))).astype(f32).reshape(rows, BLOCKS, B)


def tokens() -> numpy.ndarray:
    x = numbers("x", TOKENS)
    x[1, 0] = 0
    x[1, 1] = numpy.where(x[1, 1] < 0, f32(-0.0), f32(0.0))
    x[2, 0] = numpy.arange(B) - 15.5  # a step of 1: all of them are ties
    x[2, 0, 0] = 127
    x[2, 1] = numpy.nextafter(x[2, 0], f32(0))
    x[2, 1, 0] = -127
    x[3] *= f32(2.0**100)
    x[4, 1] *= f32(2.0**-60)
    x[5, 2, 1:] *= f32(2.0**-12)  # but for one number all of them are 0
    x[5, 2, 0] = 3
    return x


def rounded(v: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Codes and steps: (n, BLOCKS, B) and (n, BLOCKS)."""
    step = numpy.maximum(numpy.abs(v).max(-1), f32(1e-30)) / f32(127)
    codes = numpy.rint(v / step[..., None])
    assert step.dtype == f32 and codes.dtype == f32 and numpy.abs(codes).max() <= 127
    return codes.astype(numpy.int8), step


def text() -> str:
    x, w = tokens(), numbers("w", ROWS)
    (c, s), (code, scale) = rounded(x), rounded(w)
    n = numpy.einsum("tgb,ogb->tog", c.astype(numpy.int64), code.astype(numpy.int64))
    y = numpy.einsum("tog,tg,og->to", n.astype(float), s.astype(float), scale.astype(float))
    real = numpy.einsum("tgb,ogb->to", x.astype(float), w.astype(float))
    size = numpy.einsum("tgb,ogb->to", numpy.abs(x.astype(float)), numpy.abs(w.astype(float)))
    base = lambda a: base64.b64encode(numpy.ascontiguousarray(a).tobytes()).decode()  # noqa: E731
    made = {
        **{"numpy": numpy.__version__, "tokens": TOKENS, "rows": ROWS, "blocks": BLOCKS, "block": B},
        **{"x": base(x), "w": base(w), "codes": base(c), "steps": base(s), "weights": base(code)},
        **{"multipliers": base(scale), "sums": n.flatten().tolist(), "y": base(y)},
        # |rounded - real| over the sum of magnitudes.
        "largest_error": float(f"{numpy.max(numpy.abs(y - real) / size):.3g}"),
    }
    return "{\n" + ",\n".join(f'"{k}": {json.dumps(v, separators=(",", ":"))}' for k, v in made.items()) + "\n}\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        assert FILE.read_text() == text(), f"{FILE} is another"
    else:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text())
