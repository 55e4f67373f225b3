"""TinySeek without its Engram is DeepSeek-V3.2 as transformers has it: the trained weights in both.

    python check_tinyseek.py    reads ../../models/tinyseek
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import DeepseekV32ForCausalLM
from transformers.utils import logging

from record_dense import Float64Everywhere
from record_sparse import EAGER
from reference import tinyseek

# of the largest logit
AGREED = 1e-9


class FirstOfEquals(Float64Everywhere):
    """Index scores are 0 where no head likes a position. Which of equal ones `topk` takes is left open; here the first."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in (torch.topk, torch.Tensor.topk):
            values = args[0]
            k = args[1] if len(args) > 1 else kwargs["k"]
            order = values.argsort(dim=-1, descending=True, stable=True)[..., :k]
            return torch.return_types.topk((values.gather(-1, order), order))
        return super().__torch_function__(function, types, args, kwargs)


def transformers_model(config: dict, tensors: dict[str, torch.Tensor]) -> torch.nn.Module:
    """Without the draft module, which its loader knows by the number 61 only."""
    behind = f"model.layers.{config['num_hidden_layers']}."
    own = {name: tensor.float() for name, tensor in tensors.items() if ".engram." not in name and not name.startswith(behind)}
    with tempfile.TemporaryDirectory() as folder:
        fields = {key: value for key, value in config.items() if key not in ("torch_dtype", "engram", "hc_mult")}
        fields |= {"architectures": ["DeepseekV32ForCausalLM"], "model_type": "deepseek_v32"}
        fields |= {"num_key_value_heads": config["num_attention_heads"]}  # 128 without it
        (Path(folder) / "config.json").write_text(json.dumps(fields))
        save_file(own, Path(folder) / "model.safetensors", {"format": "pt"})
        given = {"dtype": torch.float64, "output_loading_info": True, **EAGER}
        model, notes = DeepseekV32ForCausalLM.from_pretrained(folder, **given)
    assert not any(notes.values()), notes
    return model.eval()


@torch.no_grad()
def check(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    tensors = load_file(folder / "model.safetensors")
    weights = {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    torch.set_default_dtype(torch.float64)
    with FirstOfEquals():
        model = transformers_model(config, tensors)
    for prompt in json.loads((folder / "golden.json").read_text())["prompts"]:
        ids = prompt["prompt"] + prompt["ids"]
        wanted = tinyseek.run(ids, config, weights, recalls=False)[0]
        with FirstOfEquals():
            found = model(torch.tensor([ids]), use_cache=False).logits[0]
        off = float((found - wanted).abs().max() / wanted.abs().max())
        print(f"{prompt['name']}, {len(ids)} ids: {off:.1e} of the largest logit", flush=True)
        assert off < AGREED


if __name__ == "__main__":
    logging.disable_progress_bar()
    check(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "models" / "tinyseek")
