"""Records what transformers computes for tiny dense models: every hidden state and logit, for a prompt and for single
steps with the cache. README.md says how to run it and what the numbers mean.

    python record_dense.py            writes recorded/*.json
    python record_dense.py --check    compares with what is there, byte for byte
"""

import json
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.overrides import TorchFunctionMode
from transformers import AutoConfig, AutoModelForCausalLM

from dense_cases import CASES
from recording import common_lines, fresh_ids, written
from seeded_weights import seeded_tensor

# of transformers' own f32 parts against f64: 2^-24, times some tens of roundings, of the largest number
F32_LIMIT = 4e-6
# a greedy choice nearer than this could flip in bf16
LEAST_MARGIN = 0.1
LEAST_DISTINCT = 3
SEEDS = 4000


class Float64Everywhere(TorchFunctionMode):
    """Norms, softmax and rotary tables of transformers go to f32 and back; here `f32` means f64 in every call."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function is torch.Tensor.float:
            return args[0].double()
        widen = lambda value: torch.float64 if value is torch.float32 else value  # noqa: E731
        return function(*map(widen, args), **{key: widen(value) for key, value in (kwargs or {}).items()})


def make_model(fields: dict, seed: int):
    given = {key: value for key, value in json.loads(json.dumps(fields)).items() if key != "torch_dtype"}
    config = AutoConfig.for_model(**given)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").double().eval()
    tied = fields["tie_word_embeddings"]
    tensors = {}
    for name, target in model.state_dict().items():
        if tied and name == "lm_head.weight":
            continue
        made = seeded_tensor(seed, name, tuple(target.shape))
        target.copy_(torch.from_numpy(made))
        tensors[name] = made
    return model, tensors


@dataclass(frozen=True)
class Kind:
    """How a family is recorded. `watch` gives, for a model that is about to run, a context and what was seen within: facts
    by name, which no rounding may change, and how near the nearest of them is to changing."""

    make_model: Callable = make_model
    prompt: int = 14
    steps: int = 4
    watch: Callable[[torch.nn.Module], tuple[AbstractContextManager, Callable[[], dict]]] = lambda _: (nullcontext(), dict)
    # a seed whose nearest decision is nearer than this is not taken
    least_gap: float = 0.0


def run(model, ids: list[int], kind: Kind) -> tuple[dict[str, torch.Tensor], dict]:
    """Hidden states [position, width] by name, and logits [position, vocabulary]; and what was watched. The cache is used from the second
    call on: the prompt is one call, and every step another."""
    seen: dict[str, list[torch.Tensor]] = {}

    def keep(name):
        return lambda _module, _inputs, output: seen.setdefault(name, []).append(
            (output[0] if isinstance(output, tuple) else output)[0]
        )

    body = model.model
    blocks = {f"block.{i}": block for i, block in enumerate(body.layers)}
    places = {"embed": body.embed_tokens, **blocks, "norm": body.norm}
    hooks = [module.register_forward_hook(keep(name)) for name, module in places.items()]
    cache = None
    given = torch.tensor([ids])
    context, choices = kind.watch(model)
    for step in range(kind.steps + 1):
        with context:
            output = model(given, past_key_values=cache, use_cache=True)
        cache = output.past_key_values
        seen.setdefault("logits", []).append(output.logits[0])
        if step < kind.steps:
            given = output.logits[0, -1].argmax().reshape(1, 1)
            seen.setdefault("next", []).append(given[0])
    for hook in hooks:
        hook.remove()
    return {name: torch.cat(parts) for name, parts in seen.items()}, choices()


def is_clear(result: dict[str, torch.Tensor], prompt: int, eos: int, margin: float = LEAST_MARGIN) -> bool:
    """Whether the greedy steps are no near ties, not one token again and again, and do not end."""
    best = result["logits"][prompt - 1 :].topk(2).values
    least = float((best[:, 0] - best[:, 1]).min())
    steps = set(result["next"].tolist())
    return least > margin and len(steps) >= LEAST_DISTINCT and eos not in steps


def without_gaps(choices: dict) -> list:
    return [{key: rows for key, rows in made.items() if key != "gaps"} for l in choices.values() for made in l.values()]


def gaps_of(choices: dict) -> list[float]:
    return [gap for layers in choices.values() for made in layers.values() for gap in made["gaps"] if gap is not None]


@torch.no_grad()
def record(name: str, fields: dict, kind: Kind) -> str:
    for seed in range(1, SEEDS):
        ids = fresh_ids(name, seed, kind.prompt, fields["vocab_size"])
        model, tensors = kind.make_model(fields, seed)
        plain, chosen = run(model, ids, kind)
        near = min(gaps_of(chosen), default=float("inf"))
        if is_clear(plain, kind.prompt, fields["eos_token_id"]) and near >= kind.least_gap:
            break
    else:
        raise RuntimeError(f"{name}: no seed gives clear steps")
    torch.set_default_dtype(torch.float64)
    with Float64Everywhere():
        wide_model, _ = kind.make_model(fields, seed)
        wide, choices = run(wide_model, ids, kind)
    torch.set_default_dtype(torch.float32)
    steps = wide.pop("next").tolist()
    assert steps == plain.pop("next").tolist()
    differences = {key: float((wide[key] - plain[key]).abs().max()) for key in wide}
    largest = {key: max(10, float(values.abs().max())) for key, values in wide.items()}
    assert all(differences[key] < F32_LIMIT * largest[key] for key in wide), (differences, largest)
    if kind.least_gap > 0:
        assert without_gaps(choices) == without_gaps(chosen)
    logits = wide.pop("logits")
    print(
        f"{name}: seed {seed}, steps {steps}, |logit| <= {logits.abs().max():.3g}, f32 parts {differences['logits']:.1e}, "
        f"nearest decision {near:.1e}"
    )
    f32_parts = max(differences.values())
    return written(common_lines(name, seed, fields, tensors, ids, steps, wide, logits, f32_parts=f32_parts, choices=choices))


def write_all(cases: dict, folder: Path, record: Callable[[str, dict], str]) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    for name, case in cases.items():
        text = record(name, case)
        path = folder / f"{name}.json"
        if "--check" in sys.argv:
            assert path.read_text() == text, f"{path} differs"
        else:
            path.write_text(text)


def main(cases: dict[str, dict], folder: Path, kind: Kind = Kind()) -> None:
    write_all(cases, folder, lambda name, fields: record(name, fields, kind))


if __name__ == "__main__":
    main(CASES, Path(__file__).parent / "recorded")
