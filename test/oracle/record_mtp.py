"""Records how transformers generates with the MTP layer of tiny DeepSeek-V3 models: the same tokens as without it, every
draft and whether it was right. README.md says what the numbers mean.

    python record_mtp.py            writes recorded-mtp/*.json
    python record_mtp.py --check    compares with what is there, byte for byte
"""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.modeling_layers import MtpLayer, MtpModel
from transformers.models.deepseek_v3 import modeling_deepseek_v3
from transformers.utils import logging

import record_dense
from choices import watch as watch_choices
from mtp_cases import CASES, NEW_TOKENS, PROMPT
from record_sparse import EAGER
from recording import common_lines, drafts_are_mixed, drafts_line, fresh_ids, row_line, written
from seeded_weights import seeded_tensor

# tensors that published files hold a second time in the MTP layer
TWICE = {"embed_tokens.weight": "model.embed_tokens.weight", "shared_head.head.weight": "lm_head.weight"}

# of greedy choices, where two are nearest: a hundred times what f32 may be off
LEAST_MARGIN = 0.01
LEAST_GAP = 5e-4


def tensors_of(config, folder: str, seed: int) -> tuple[dict, dict[str, str]]:
    """Those of the main model as it is saved, and those of an MTP layer: of one with experts, and its own."""
    with safe_open(Path(folder) / "model.safetensors", "pt") as saved:
        shapes = {name: tuple(saved.get_slice(name).get_shape()) for name in saved.keys()}
    layers, h = config.num_hidden_layers, config.hidden_size
    sparse = f"model.layers.{layers - 1}."
    path = f"model.layers.{layers}."
    shapes |= {name.replace(sparse, path): shape for name, shape in shapes.items() if name.startswith(sparse)}
    shapes |= {f"{path}{name}.weight": (h,) for name in ("enorm", "hnorm", "shared_head.norm")}
    shapes[f"{path}eh_proj.weight"] = (h, 2 * h)
    tensors = {name: seeded_tensor(seed, name, shapes[name]) for name in sorted(shapes)}
    twice = {f"{path}{name}": of for name, of in TWICE.items()}
    return tensors | {name: tensors[of] for name, of in twice.items()}, twice


@dataclass
class Watched:
    """What the MTP model was given and what it gave, a call a draft."""

    known: list[int] = field(default_factory=list)  # how many tokens there were
    given: list[torch.Tensor] = field(default_factory=list)  # hidden states of the main model
    hidden: list[torch.Tensor] = field(default_factory=list)
    logits: list[torch.Tensor] = field(default_factory=list)


def generate(fields: dict, seed: int, ids: list[int]):
    given = {key: value for key, value in json.loads(json.dumps(fields)).items() if key != "torch_dtype"}
    watched = Watched()
    kept = modeling_deepseek_v3.DeepseekV3PreTrainedModel._keys_to_ignore_on_load_unexpected
    forward, layer_forward = MtpModel.forward, MtpLayer.forward

    def watch(self, *args, **kwargs):
        result = forward(self, *args, **kwargs)
        watched.known.append(kwargs["full_input_ids"].shape[1])
        watched.given.append(kwargs["last_hidden_states"][0])
        watched.logits.append(result[1][0, 0])
        return result

    def watch_layer(self, *args, **kwargs):
        result = layer_forward(self, *args, **kwargs)
        watched.hidden.append(result[0])
        return result

    with tempfile.TemporaryDirectory() as folder:
        config = AutoConfig.for_model(**given)
        # the layer that is no part of the main model is 61 in published files
        modeling_deepseek_v3.DeepseekV3PreTrainedModel._keys_to_ignore_on_load_unexpected = [
            rf"model\.layers\.{config.num_hidden_layers}.*"
        ]
        MtpModel.forward, MtpLayer.forward = watch, watch_layer
        AutoModelForCausalLM.from_config(config, **EAGER).save_pretrained(folder)
        tensors, twice = tensors_of(config, folder, seed)
        of_file = {name: torch.from_numpy(tensor).clone() for name, tensor in tensors.items()}
        save_file(of_file, Path(folder) / "model.safetensors", {"format": "pt"})
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, **EAGER).eval()
        how = {"max_new_tokens": NEW_TOKENS, "do_sample": False, "attention_mask": torch.ones(1, len(ids))}
        plain = model.generate(torch.tensor([ids]), **how)[0].tolist()
        drafted = model.generate(torch.tensor([ids]), use_mtp=True, **how)[0].tolist()
        MtpModel.forward, MtpLayer.forward = forward, layer_forward
        modeling_deepseek_v3.DeepseekV3PreTrainedModel._keys_to_ignore_on_load_unexpected = kept
        assert plain == drafted, (plain, drafted)
        kind = record_dense.Kind(prompt=len(ids), steps=NEW_TOKENS, watch=watch_choices)
        result, choices = record_dense.run(model, ids, kind)
        # it ends with the end of text; seeds that come to it are not taken
        assert result.pop("next").tolist()[: len(plain) - len(ids)] == plain[len(ids) :]
    return result, choices, plain[len(ids) :], watched, tensors, twice


@torch.no_grad()
def record(name: str, fields: dict) -> str:
    for seed in range(1, 400):
        ids = fresh_ids(name, seed, PROMPT, fields["bos_token_id"])  # neither begin nor end of text
        plain, chosen, steps, watched, tensors, twice = generate(fields, seed, ids)
        right = accepted(watched, [*ids, *steps])
        whole = plain | {"next": torch.tensor(steps)}
        ended = len(steps) < NEW_TOKENS
        near = min(record_dense.gaps_of(chosen), default=0)
        if not ended and near >= LEAST_GAP and record_dense.is_clear(whole, PROMPT, fields["eos_token_id"], LEAST_MARGIN) and clear(watched.logits):
            if drafts_are_mixed(right):
                break
    else:
        raise RuntimeError(f"{name}: no seed gives drafts of both kinds")
    torch.set_default_dtype(torch.float64)
    with record_dense.Float64Everywhere():
        wide, choices, wide_steps, seen, _, _ = generate(fields, seed, ids)
    torch.set_default_dtype(torch.float32)
    assert (wide_steps, seen.known) == (steps, watched.known)
    assert record_dense.without_gaps(choices) == record_dense.without_gaps(chosen)
    # the hidden state that a draft starts from is the normed one
    fed = torch.cat(seen.given)
    off = float((fed - wide["norm"][: len(fed)]).abs().max())
    assert off < 1e-12, off
    print(f"{name}: seed {seed}, steps {steps}, right {right}")
    logits = wide.pop("logits")
    f32_parts = max(float((plain[key] - values).abs().max()) for key, values in wide.items())
    drafts = [
        {"known": known, "token": int(scores.argmax()), "accepted": good}
        for known, scores, good in zip(seen.known, seen.logits, right)
    ]
    return written(
        [
            *common_lines(name, seed, fields, tensors, ids, steps, wide, logits, twice, f32_parts, choices),
            drafts_line(drafts),
            row_line("draft_hidden", torch.cat(seen.hidden)),
            row_line("draft_logits", torch.stack(seen.logits)),
        ]
    )


def accepted(watched: Watched, tokens: list[int]) -> list[bool | None]:
    """Whether each draft was the token that came; nothing where none came any more."""
    best = [int(scores.argmax()) for scores in watched.logits]
    return [tokens[known] == token if known < len(tokens) else None for known, token in zip(watched.known, best)]


def clear(logits: list[torch.Tensor]) -> bool:
    best = torch.stack(logits).topk(2).values
    return float((best[:, 0] - best[:, 1]).min()) > LEAST_MARGIN


if __name__ == "__main__":
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    record_dense.write_all(CASES, Path(__file__).parent / "recorded-mtp", record)
