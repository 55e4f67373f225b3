"""Between the parameters of `model.py` and a checkpoint with the published names."""

import json
import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from model import TinySeek

# what published checkpoints hold in f32
WIDE = re.compile(r"e_score_correction_bias$")
MERGED = re.compile(r"(.*\.mlp)\.(gate_up|down)$")


def published(model: TinySeek) -> dict[str, torch.Tensor]:
    """bf16, and f32 where V3 has it; the token map of Engram as the int64 that it is."""
    found = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("token_map"):
            found[name] = tensor
        elif merged := MERGED.fullmatch(name):
            for expert, own in enumerate(tensor):
                path = f"{merged[1]}.experts.{expert}"
                parts = {"down_proj": own} if merged[2] == "down" else dict(zip(("gate_proj", "up_proj"), own.chunk(2)))
                found |= {f"{path}.{part}.weight": value for part, value in parts.items()}
        else:
            found[name] = tensor
    kind = lambda name, tensor: tensor.dtype if WIDE.search(name) or not tensor.is_floating_point() else torch.bfloat16  # noqa: E731
    return {name: tensor.to(kind(name, tensor)).contiguous().clone() for name, tensor in sorted(found.items())}


def save(model: TinySeek, file: Path) -> None:
    part = file.with_suffix(".part")
    save_file(published(model), part, {"format": "pt"})
    part.rename(file)


def load(folder: Path) -> tuple[TinySeek, dict]:
    """The model of a folder with config.json and model.safetensors, in f32 and ready to be asked; and the config."""
    config = json.loads((folder / "config.json").read_text())
    tensors = load_file(folder / "model.safetensors")
    model = TinySeek(config)
    state = {}
    for name, tensor in model.state_dict().items():
        if merged := MERGED.fullmatch(name):
            parts = ("gate_proj", "up_proj") if merged[2] == "gate_up" else ("down_proj",)
            own = lambda expert, part: tensors.pop(f"{merged[1]}.experts.{expert}.{part}.weight")  # noqa: B023, E731
            state[name] = torch.stack([torch.cat([own(expert, part) for part in parts]) for expert in range(len(tensor))])
        else:
            state[name] = tensors.pop(name)
    assert not tensors, f"not of this model: {sorted(tensors)[:3]}"
    model.load_state_dict({name: tensor if tensor.dtype == torch.int64 else tensor.float() for name, tensor in state.items()})
    return model.eval(), config
