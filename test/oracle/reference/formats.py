"""8-bit floats and the transform before them, on numbers of any real type: what comes back is what the format holds."""

import torch

LARGEST = 448.0  # of e4m3
GROUP = 128


def e4m3(x: torch.Tensor) -> torch.Tensor:
    """The nearest number of e4m3, of two the one with an even last bit; beyond the largest, the largest."""
    steps = e4m3_step(x)
    return (x.clamp(-LARGEST, LARGEST) / steps).round() * steps


def e4m3_step(x: torch.Tensor) -> torch.Tensor:
    """From a number of e4m3 to the next, where x is; 2^-9 among the subnormal ones."""
    _, exponent = torch.frexp(x.clamp(-LARGEST, LARGEST))  # x = m 2^exponent, 1/2 <= m < 1
    return torch.ldexp(torch.ones_like(x), (exponent - 1).clamp(min=-6) - 3)


def decode_e4m3(codes: torch.Tensor) -> torch.Tensor:
    """Bytes s eeee mmm; none of them may be a NaN."""
    codes = codes.long()
    exponent, mantissa = (codes >> 3) & 15, (codes & 7).double()
    size = torch.where(exponent == 0, mantissa * 2.0**-9, (8 + mantissa) * 2.0 ** (exponent - 10).double())
    return torch.where(codes >= 128, -size, size)


def decode_ue8m0(codes: torch.Tensor) -> torch.Tensor:
    return 2.0 ** (codes.double() - 127)


def ue8m0_scale(amax: torch.Tensor) -> torch.Tensor:
    """The least power of two not below amax / 448, amax at least 1e-4."""
    mantissa, exponent = torch.frexp(amax.clamp(min=1e-4) / LARGEST)
    return torch.ldexp(torch.ones_like(amax), exponent - (mantissa == 0.5).to(exponent.dtype))


def through_fp8(x: torch.Tensor, margins: list[float]) -> torch.Tensor:
    """Every group of 128 channels (one smaller group where there are fewer) to e4m3 under a power of two and back.
    `margins` gets how far the nearest number was from where it would have been rounded otherwise, in steps."""
    grouped = x.unflatten(-1, (-1, min(GROUP, x.shape[-1])))
    scale = ue8m0_scale(grouped.abs().amax(-1, keepdim=True))
    scaled = grouped / scale
    in_steps = scaled / e4m3_step(scaled)
    margins.append(float(((in_steps - in_steps.floor()) - 0.5).abs().min()))
    return (e4m3(scaled) * scale).flatten(-2)


def hadamard(x: torch.Tensor) -> torch.Tensor:
    """Orthonormal, Sylvester's order, over the last axis, whose length is a power of two."""
    length = x.shape[-1]
    index = torch.arange(length)
    common = index[:, None] & index[None, :]
    signs = torch.ones(length, length, dtype=x.dtype)
    for bit in range(length.bit_length()):
        signs = torch.where((common >> bit) & 1 == 1, -signs, signs)
    return x @ signs / length**0.5
