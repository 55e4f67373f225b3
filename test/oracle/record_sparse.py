"""Records what transformers computes for tiny models with latent attention and experts, as record_dense.py does for dense
ones. Weights come through a file with the tensors of a published checkpoint, so that its names are what is tested.

    python record_sparse.py            writes recorded-sparse/*.json
    python record_sparse.py --check    compares with what is there, byte for byte
"""

import json
import tempfile
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

import record_dense
from choices import watch
from seeded_weights import seeded_tensor
from sparse_cases import CASES, LONG_CASES

# grouped matrix products refuse f64
EAGER = {"attn_implementation": "eager", "experts_implementation": "eager"}


def make_model(fields: dict, seed: int):
    given = {key: value for key, value in json.loads(json.dumps(fields)).items() if key != "torch_dtype"}
    with tempfile.TemporaryDirectory() as folder:
        config = AutoConfig.for_model(**given)
        AutoModelForCausalLM.from_config(config, **EAGER).save_pretrained(folder)
        file = Path(folder) / "model.safetensors"
        with safe_open(file, "pt") as saved:
            names = {name: tuple(saved.get_slice(name).get_shape()) for name in saved.keys()}
        tensors = {name: seeded_tensor(seed, name, names[name]) for name in sorted(names)}
        save_file({name: torch.from_numpy(tensor) for name, tensor in tensors.items()}, file, {"format": "pt"})
        model, notes = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, output_loading_info=True, **EAGER
        )
        assert not any(notes.values()), notes
    return model.double().eval(), tensors


if __name__ == "__main__":
    logging.disable_progress_bar()
    folder = Path(__file__).parent / "recorded-sparse"
    record_dense.main(CASES, folder, record_dense.Kind(make_model, watch=watch))
    # a prompt that is longer than a chunk of 16, and decisions no f32 rounding can change
    record_dense.main(LONG_CASES, folder, record_dense.Kind(make_model, 21, 8, watch, least_gap=5e-4))
