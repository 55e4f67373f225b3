"""How a recording is written: one value a line, hidden states by name, nine digits."""

import json

import numpy
import torch
import transformers

from seeded_weights import checksum, fnv1a, mulberry32

PINNED = {torch: "2.13.0", transformers: "5.17.0", numpy: "2.4.6"}
for package, version in PINNED.items():
    found = package.__version__.split("+")[0]
    assert found == version, f"{package.__name__} is {found}; these recordings are of {version}"

DIGITS = 9
LEAST_RIGHT = 2


def rounded(value: float) -> float | int:
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short == int(short) else short


def table(values: torch.Tensor) -> list[list[float | int]]:
    return [[rounded(value) for value in row] for row in values.tolist()]


def by_layer(made: dict[int, dict]) -> str:
    return ",\n".join(f'"{layer}": {compact(rows)}' for layer, rows in made.items())


def fresh_ids(name: str, seed: int, count: int, vocabulary: int) -> list[int]:
    return [int(bits) % vocabulary for bits in mulberry32(fnv1a(f"{seed}/{name}/ids".encode()), count)]


def compact(value) -> str:
    return json.dumps(value, separators=(",", ":"))


def row_line(name: str, values: torch.Tensor) -> str:
    return f'"{name}": {compact(table(values))}'


def made_of(tensors: dict, twice: dict[str, str], kinds: dict[str, str]) -> dict:
    """What there is to make tensors again from the seed. `as`: whose values a tensor has, where not its own; `kind`:
    where it is no f32."""
    more = lambda key, given, name: {key: given[name]} if name in given else {}  # noqa: E731
    return {
        name: {
            "shape": list(tensor.shape),
            "checksum": checksum(tensor),
            **more("as", twice, name),
            **more("kind", kinds, name),
        }
        for name, tensor in tensors.items()
    }


def common_lines(
    name: str, seed: int, config: dict, tensors: dict, ids, steps, hidden: dict, logits, twice=None, f32_parts=0.0, choices=None
) -> list[str]:
    rows = ",\n".join(f'"{key}": {compact(table(values))}' for key, values in hidden.items())
    return [
        f'"name": {json.dumps(name)}',
        f'"versions": {json.dumps({package.__name__: version for package, version in PINNED.items()})}',
        f'"seed": {seed}',
        f'"config": {json.dumps(config)}',
        f'"tensors": {json.dumps(made_of(tensors, twice or {}, {}))}',
        f'"ids": {json.dumps(ids)}',
        f'"steps": {json.dumps(steps)}',
        f'"f32_parts": {json.dumps(float(f"{f32_parts:.1e}"))}',
        f'"hidden": {{\n{rows}\n}}',
        f'"logits": {compact(table(logits))}',
        *(f'"{key}": {{\n{by_layer(made)}\n}}' for key, made in (choices or {}).items()),
    ]


def drafts_line(drafts: list[dict]) -> str:
    return f'"drafts": {compact(drafts)}'


def drafts_are_mixed(right: list[bool | None]) -> bool:
    return right.count(True) >= LEAST_RIGHT and right.count(False) >= LEAST_RIGHT


def written(lines: list[str]) -> str:
    return "{\n" + ",\n".join(lines) + "\n}\n"
