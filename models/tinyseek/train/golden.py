"""Records what TinySeek says, in `golden.json`: for prompts of all kinds what it writes greedily, some logits and what it
drafts; and the loss of each held-out story.

Numbers are those of `model.py` in f64, and two more must agree with them. What is written greedily is written by f32. And
the judge is `test/oracle/reference/tinyseek.py`, which was not made from `model.py`: every logit and every draft, which
experts each token uses and which positions it sees.

    python golden.py --data FOLDER            writes golden.json; FOLDER has corpora/
    python golden.py --data FOLDER --check    compares with what is there
"""

import argparse
import copy
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

import checkpoint
import corpus
from model import Indexer, Router, Switches, TinySeek, Watched
from vocabulary import BEGIN, Vocabulary

sys.path.insert(0, str(Path(__file__).parents[3] / "test" / "oracle"))
from reference import tinyseek as judge  # noqa: E402

# Of each the first name with which it is clear what f32 must say.
PROMPTS = {
    "opening": ["Once upon a time", "Once upon a time, there was a child named {}"],
    "dialogue": ['"Can I come with you?" asked {}. His mom shook her head and said, "'],
    "name": [
        "Once upon a time, there was a little girl named Sue. Sue had a small gray cat. The cat's name was {}. One day, Sue could "
        "not find her cat. She looked in the house. She looked in the garden. She looked behind the big tree. She was very sad. "
        'Then she called out, "'
    ],
    "empty": [""],
    "odd": ["ÜBER-robot {} #7: 3 + 4 = ?\n\n"],
}
NAMES = ["Momo", "Ben", "Tom", "Pip", "Max", "Jack", "Sam", "Bob", "Leo", "Fin", "Kit", "Ollie", "Rex", "Zed", "Tim", "Nemo"]
# as texts of ../ablations/ say it
SWITCHED = {
    "no-router-bias": Switches(router_bias=False),
    "one-expert": Switches(experts=1),
    "dense-attention": Switches(select="all"),
    "no-engram": Switches(engram=False),
    "indexer-pairs": Switches(index_pairs="adjacent"),
}
FEW = 10
STEPS = 200
DIGITS = 9
# of the largest logit
AGREED = 1e-9
# ten times what the logits of f32 are off: no greedy choice hangs on that
LEAST_MARGIN = 2e-4
# in what the scores of f32 are off: less than one of ten thousand pairs is off by as much
CLEAR = 6.0


def rounded(value: float, digits: int = DIGITS) -> float:
    return float(f"{value:.{digits}g}")


def row(values: torch.Tensor) -> list[float]:
    return [rounded(value) for value in values.tolist()]


def in_f64(model: TinySeek, config: dict) -> TinySeek:
    """The tables of cos and sin are kept in f32: they are made again."""
    wide = copy.deepcopy(model).double()
    pairs = torch.arange(config["qk_rope_head_dim"] // 2, dtype=torch.float64)
    frequencies = config["rope_theta"] ** (-2 * pairs / config["qk_rope_head_dim"])
    angles = torch.arange(config["max_position_embeddings"])[:, None, None] * frequencies
    wide.cos.copy_(angles.cos())
    wide.sin.copy_(angles.sin())
    return wide


Choices = dict[int, list[list[int]]]  # by layer, for each token what is chosen, ascending
Scores = dict[int, torch.Tensor]  # by layer, [T, n]: what is chosen by


@dataclass
class Ran:
    """Of one sequence of T ids: logits [T, v]; drafts [T - 1, v], row t of the token t + 2; experts, and positions seen."""

    logits: torch.Tensor
    drafts: torch.Tensor
    experts: Choices
    positions: Choices


def layer_of(name: str) -> int:
    return int(name.split(".layers.")[1].split(".")[0])


def run(model: TinySeek, ids: list[int]) -> tuple[Ran, dict[int, Scores]]:
    """And scores, by how many are chosen."""
    experts, positions, hooks = {}, {}, []
    scores: dict[int, Scores] = {}

    def see_router(layer: int):
        def see(part: Router, given, made) -> None:
            experts[layer] = made[0].sort(-1).values.tolist()
            scores.setdefault(part.k, {})[layer] = (given[0] @ part.weight.T).sigmoid() + part.e_score_correction_bias

        return see

    def see_indexer(layer: int):
        def see(part: Indexer, _given, made) -> None:
            scores.setdefault(part.k, {})[layer] = made[0]
            positions[layer] = [sees.nonzero()[:, 0].tolist() for sees in part.chosen(made, "best")[0]]

        return see

    for name, part in model.named_modules():
        if isinstance(part, Router):
            hooks.append(part.register_forward_hook(see_router(layer_of(name))))
        if isinstance(part, Indexer):
            hooks.append(part.register_forward_hook(see_indexer(layer_of(name))))
    switches, watched = Switches(), Watched()
    given = torch.tensor([ids])
    hidden = model.hidden(given, switches, watched)
    drafted = model.draft(hidden[:, :-1], given[:, 1:], switches, watched)
    for hook in hooks:
        hook.remove()
    return Ran(model.lm_head(hidden)[0], model.lm_head(drafted)[0], experts, positions), scores


def judged(ids: list[int], config: dict, weights: dict[str, torch.Tensor]) -> Ran:
    logits, seen = judge.run(ids, config, weights)
    drafts, drafted = judge.draft(seen.hidden["norm"][:-1], ids[1:], config, weights)
    experts, selected = seen.experts | drafted.experts, seen.selected | drafted.selected
    return Ran(
        logits,
        drafts,
        {layer: made.experts.sort(-1).values.tolist() for layer, made in experts.items()},
        {layer: made.positions for layer, made in selected.items()},
    )


def clearance(narrow: dict[int, Scores], wide: dict[int, Scores], layers: range) -> float:
    """The least gap of any choice, from the least score that is chosen to the greatest that is not, in units of what f32 is off
    for that token (root mean square). Index scores that are equal are all 0, in f32 as well: no gap."""
    least = float("inf")
    for k, of_layers in wide.items():
        for scores, others in ((of_layers[layer], narrow[k][layer]) for layer in layers if layer in of_layers):
            if scores.shape[-1] <= k:
                continue
            finite = ~scores.isinf()
            off = ((others - scores).masked_fill(~finite, 0).square().sum(-1) / finite.sum(-1)).sqrt()
            ordered = scores.sort(dim=-1, descending=True).values
            gaps = ordered[:, k - 1] - ordered[:, k]
            counts = gaps.isfinite() & (gaps > 0)
            least = min([least, *(gaps / off)[counts].tolist()])
    return least


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """As a share of the largest."""
    return float((one.double() - other.double()).abs().max() / other.abs().max())


def agree(what: str, one: Ran, other: Ran) -> float:
    off = max(distance(one.logits, other.logits), distance(one.drafts, other.drafts))
    assert off < AGREED, f"{what}: logits are {off:.1e} of the largest apart"
    assert one.experts == other.experts, f"{what}: other experts are chosen"
    assert one.positions == other.positions, f"{what}: other positions are seen"
    return off


def greedy(model: TinySeek, prompt: list[int], steps: int) -> list[int]:
    ids = list(prompt)
    for _ in range(steps):
        ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(prompt) :]


def margins(logits: torch.Tensor) -> torch.Tensor:
    best = logits.topk(2).values
    return best[:, 0] - best[:, 1]


def made_one_by_one(drafts: list[int], ids: list[int]) -> list[int]:
    """Which drafts are made where a step makes one, and two ids where it is right. None is made of the last id."""
    made, known = [], 1
    while known < len(ids) - 1:
        made.append(known - 1)
        known += 1 + (drafts[known - 1] == ids[known])
    return made


def recorded(name: str, text: str, prompt: list[int], models: dict) -> dict:
    ids = greedy(models["f32"], prompt, STEPS)
    tokens, start = prompt + ids, len(prompt) - 1
    (f32, narrow), (f64, wide) = run(models["f32"], tokens), run(models["f64"], tokens)
    off = agree(name, f64, judged(tokens, models["config"], models["weights"]))
    steps, drafts = f64.logits[start:-1], f64.drafts[start:-1]
    margin, draft_margin = float(margins(steps).min()), float(margins(drafts).min())
    depth = models["config"]["num_hidden_layers"]
    clear, draft_clear = clearance(narrow, wide, range(depth)), clearance(narrow, wide, range(depth, depth + 1))
    same_choices = (f32.experts, f32.positions) == (f64.experts, f64.positions)
    print(
        f"{name}, {text[-40:]!r}: {len(prompt)} ids; judge {off:.1e} and f32 {distance(f32.logits[start:-1], steps):.1e} of the largest "
        f"logit; margins {margin:.1e}, of drafts {draft_margin:.1e}; clearance {clear:.1f}, of drafts {draft_clear:.1f}; f32 chooses "
        f"{'the same' if same_choices else 'OTHERWISE'}",
        flush=True,
    )
    same_ids = steps.argmax(-1).tolist() == ids
    assert same_ids or margin < LEAST_MARGIN, f"{name}: f64 goes on otherwise than f32"
    guessed = drafts.argmax(-1).tolist()
    made = made_one_by_one(guessed, ids)
    shown = made[len(made) // 8]  # one that a short text comes to as well
    return {
        "name": name,
        "text": text,
        "prompt": prompt,
        "ids": ids,
        "clear": same_ids and clear >= CLEAR and margin >= LEAST_MARGIN,
        "margin": rounded(margin, 3),
        "chosen": row(steps.gather(-1, torch.tensor(ids)[:, None])[:, 0]),
        "logits": [{"step": place, "values": row(steps[place])} for place in (0, STEPS // 2, STEPS - 1)],
        "drafts": guessed,
        "drafts_clear": draft_clear >= CLEAR and draft_margin >= LEAST_MARGIN,
        "draft_logits": {"draft": shown, "values": row(drafts[shown])},
    }


def first_clear(name: str, encode, models: dict) -> dict:
    texts = [text.format(own) for text in PROMPTS[name] for own in (NAMES if "{}" in text else [""])]
    made = None
    for text in texts:
        made = recorded(name, text, encode(text), models)
        if made["clear"]:
            return made
    assert len(texts) == 1, f"{name}: not clear with any name"
    print(f"{name}: NOT CLEAR, and there is no other")
    return made


def loss_of(logits: torch.Tensor, ids: list[int]) -> float:
    return float(torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:])))


def held_out(stories: list[list[int]], models: dict) -> dict:
    """`switched`: the last stories again, with one thing off or wrong."""
    losses, tokens, worst, worst_f32 = [], [], 0.0, 0.0
    for ids in stories:
        given = torch.tensor([ids[:-1]])
        loss = loss_of(models["f64"](given)[0], ids)
        worst = max(worst, abs(loss - loss_of(judge.run(ids[:-1], models["config"], models["weights"])[0], ids)))
        worst_f32 = max(worst_f32, abs(loss - loss_of(models["f32"](given)[0], ids)))
        losses.append(loss)
        tokens.append(len(ids) - 1)
    assert worst < AGREED, f"losses of the held-out stories are {worst:.1e} apart"
    mean = sum(loss * count for loss, count in zip(losses, tokens)) / sum(tokens)
    print(f"held out: {mean:.4f} nats a token of {sum(tokens)} in {len(stories)} stories; judge {worst:.1e}, f32 {worst_f32:.1e} off in a story")
    switched = {}
    for name, switches in SWITCHED.items():
        last = [loss_of(models["f64"](torch.tensor([ids[:-1]]), switches)[0], ids) for ids in stories[-FEW:]]
        switched[name] = [rounded(loss) for loss in last]
        print(f"{name}: {sum(last) / FEW - sum(losses[-FEW:]) / FEW:+.4f} nats, mean of {FEW} stories", flush=True)
    return {"mean": rounded(mean), "tokens": tokens, "losses": [rounded(loss) for loss in losses], "switched": switched}


def written(found: dict) -> str:
    """A line for each field, and one for each row of logits."""
    compact = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))  # noqa: E731
    listed = lambda values: "[\n" + ",\n".join(values) + "\n]"  # noqa: E731
    object_of = lambda fields: "{\n" + ",\n".join(f'"{key}": {text}' for key, text in fields.items()) + "\n}"  # noqa: E731
    prompt = lambda made: object_of(  # noqa: E731
        {key: listed(map(compact, value)) if key == "logits" else compact(value) for key, value in made.items()}
    )
    fields = {key: compact(value) for key, value in found.items()}
    return object_of({**fields, "prompts": listed(map(prompt, found["prompts"]))}) + "\n"


def same(found, wanted, place: str = "golden.json") -> None:
    """Numbers to the digits that are recorded, and one unit of the last for how sums are ordered elsewhere."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys(), place
        for key in wanted:
            same(found[key], wanted[key], f"{place}: {key}")
    elif isinstance(wanted, list):
        assert len(found) == len(wanted), place
        for i, value in enumerate(wanted):
            same(found[i], value, f"{place}[{i}]")
    elif isinstance(wanted, float):
        assert abs(found - wanted) <= 10 ** (1 - DIGITS) * max(1, abs(wanted)), f"{place}: {found}, recorded is {wanted}"
    else:
        assert found == wanted, f"{place}: {found}, recorded is {wanted}"


@torch.no_grad()
def golden(data: Path, folder: Path) -> dict:
    vocabulary = Vocabulary(folder / "tokenizer.json")
    model, config = checkpoint.load(folder)
    file = folder / "model.safetensors"
    weights = {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in load_file(file).items()}
    own = config["engram"]
    for layer, hashing in judge.hashings(config).items():
        made = ([str(multiplier) for multiplier in hashing.multipliers], hashing.sizes)
        assert (own["multipliers"][layer], own["primes"][layer]) == made, "constants of Engram"
        token_map = weights[f"model.layers.{layer}.engram.token_map"].tolist()
        assert token_map == vocabulary.compressed() and max(token_map) + 1 == own["compressed_vocab_size"], "token map"
    models = {"f32": model, "f64": in_f64(model, config), "weights": weights, "config": config}
    made = [first_clear(name, lambda text: [BEGIN, *vocabulary.encode(text)], models) for name in PROMPTS]
    return {
        "versions": {"torch": torch.__version__.split("+")[0]},
        "weights": hashlib.sha256(file.read_bytes()).hexdigest(),
        "held_out": held_out(corpus.held_out(data, vocabulary), models),
        "prompts": made,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with corpora/")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent.parent, help="of the model, and of golden.json")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = golden(given.data, given.folder)
    file = given.folder / "golden.json"
    if given.check:
        same(json.loads(json.dumps(found)), json.loads(file.read_text()))
        print(f"{file.name} is as recorded")
    else:
        file.write_text(written(found))
        print(f"{file.name}: {file.stat().st_size} bytes")
