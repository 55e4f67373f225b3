"""What the trained checkpoint is worth: its loss beside the teacher's on stories that neither saw here, with each part
turned off or done wrong; how often the draft module guesses right; how evenly the experts are used. Prints Markdown."""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional as F

import corpus
from checkpoint import load
from model import Switches, TinySeek, Watched
from teacher import Teacher
from vocabulary import BEGIN, Vocabulary

TRAINED_ON = 50  # stories of the training set, to compare with those that were held out
GOLDEN_IDS = 256  # what the teacher's golden loss cuts stories to
PROMPT, WRITTEN = 16, 184

ABLATIONS = {
    "as trained": Switches(),
    "attention to all positions, no selection": Switches(select="all"),
    "64 positions at random": Switches(select="random"),
    "rotary pairs of the indexer adjacent, not halves": Switches(index_pairs="adjacent"),
    "router without its bias": Switches(router_bias=False),
    "one expert a token, not two": Switches(experts=1),
    "Engram's gate at 0": Switches(engram=False),
}

Scorer = Callable[[torch.Tensor], torch.Tensor]  # ids [1, T] -> logits [1, T, v]


@torch.no_grad()
def nats(score: Scorer, stories: list[list[int]]) -> torch.Tensor:
    """By story, the nats of all predictions."""
    found = []
    for story in stories:
        ids = torch.tensor([story])
        found.append(F.cross_entropy(score(ids[:, :-1]).double().flatten(0, 1), ids[0, 1:], reduction="sum"))
    return torch.stack(found)


def predictions(stories: list[list[int]]) -> int:
    return sum(len(story) - 1 for story in stories)


def loss(score: Scorer, stories: list[list[int]]) -> float:
    """Mean nats a token, every prediction of every story."""
    return nats(score, stories).sum().item() / predictions(stories)


@torch.no_grad()
def right_drafts(model: TinySeek, stories: list[list[int]]) -> tuple[int, int]:
    """How many guesses of the token after the next are what greedy writing comes to, and of how many. Each story is begun
    with its first ids."""
    switches = Switches()
    ids = torch.tensor([story[:PROMPT] for story in stories])
    for _ in range(WRITTEN):
        ids = torch.cat([ids, model(ids)[:, -1:].argmax(-1)], 1)
    hidden = model.hidden(ids[:, :-2], switches, Watched())
    guesses = model.lm_head(model.draft(hidden, ids[:, 1:-1], switches, Watched())).argmax(-1)
    written = slice(PROMPT - 2, None)  # guesses of what was written, not of what was given
    right = (guesses == ids[:, 2:])[:, written]
    # a story that has ended is another story from there on
    going = (ids[:, 2:] != BEGIN).cumprod(1).bool()[:, written]
    return int((right & going).sum()), int(going.sum())


@torch.no_grad()
def shares(model: TinySeek, stories: list[list[int]]) -> dict[int, torch.Tensor]:
    """[E] share of the chosen places, by layer."""
    found: dict[int, torch.Tensor] = {}
    for story in stories:
        watched = Watched()
        model.hidden(torch.tensor([story[:-1]]), Switches(), watched)
        for layer, load in watched.loads.items():
            found[layer] = found.get(layer, 0) + load / len(stories)
    return found


def evaluate(data: Path, folder: Path) -> None:
    torch.set_num_threads(1)
    model, _ = load(folder)
    vocabulary = Vocabulary(folder / "tokenizer.json")
    teacher = Teacher(data / "stories260K" / "stories260K.bin")
    unseen = corpus.held_out(data, vocabulary)
    encode = lambda story: [BEGIN, *vocabulary.encode(story)]  # noqa: E731
    stories = corpus.real_stories(data)
    golden = [encode(story)[:GOLDEN_IDS] for story in stories[: corpus.GOLDEN]]
    seen = [encode(story)[: corpus.CONTEXT] for story in stories[corpus.GOLDEN :][:TRAINED_ON]]

    print("| stories | teacher | TinySeek |\n|---|---|---|")
    for name, those in (("held out", unseen), ("golden", golden), ("trained on", seen)):
        print(f"| {name} | {loss(teacher.logits, those):.4f} | {loss(model, those):.4f} |", flush=True)
    print("\n| on the held-out stories | nats a token | more than as trained | standard error of that |\n|---|---|---|---|")
    plain = nats(model, unseen)
    for name, switches in ABLATIONS.items():
        more = nats(lambda ids: model(ids, switches), unseen) - plain  # noqa: B023
        error = more.std().item() * len(more) ** 0.5 / predictions(unseen)
        mean = lambda values: values.sum().item() / predictions(unseen)  # noqa: E731
        print(f"| {name} | {mean(plain + more):.4f} | {mean(more):+.4f} | {error:.4f} |", flush=True)
    right, of = right_drafts(model, unseen)
    print(f"\nDrafts right in greedy writing: {right} of {of}, {right / of:.1%}\n")
    print("| layer | share of each expert, percent |\n|---|---|")
    for layer, own in shares(model, unseen).items():
        print(f"| {layer} | {' '.join(f'{share:.1f}' for share in (own * 100).tolist())} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with stories260K/ and corpora/")
    parser.add_argument("--model", type=Path, default=Path(__file__).parent.parent, help="folder of the checkpoint")
    given = parser.parse_args()
    evaluate(given.data, given.model)
