"""Trains TinySeek, from where it was left if it was begun, and writes `model.safetensors`. README.md says how it is run.

A step is 8,192 tokens. First 256 positions and dense attention, of which the indexer learns; in the last fifth 512
positions, of which a token sees those that the indexer chooses. At last the routers are skewed (`skew.py`) and the rate falls
to nothing."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import corpus
from checkpoint import save
from model import Engram, Switches, TinySeek, Watched
from optimizer import balance, optimizer_of, set_rate
from skew import skew_routers
from teacher import CONTEXT, Teacher
from vocabulary import Vocabulary

SPARSE_FROM = 0.8  # of all steps
TOKENS = 8192  # a step
REAL = {CONTEXT // 2: 7, CONTEXT: 3}  # rows of a step that are real stories; the others are sampled
CLIP = 1.0
DRAFT_WEIGHT = (0.3, 0.1)  # dense, sparse
MICRO = 2048  # tokens at a time: what they need stays in the cache of a core
KEEP_EVERY, TELL_EVERY = 50, 10
TOO_MUCH = 0.6  # of the tokens, for one expert


def batch(sources: dict, step: int, sparse_from: int) -> tuple[torch.Tensor, int]:
    """[B, T + 1] ids of a step, which is a function of its number alone; and how many of the rows are real."""
    length = CONTEXT if step >= sparse_from else CONTEXT // 2
    rows, real = TOKENS // length, REAL[length]
    first = sparse_from if step >= sparse_from else 0
    picked = []
    for (source, seed), count in zip(sources[length], (real, rows - real)):
        start = (step - first) * count
        turn, at = divmod(start, len(source))
        order = np.concatenate([np.random.default_rng([seed, t]).permutation(len(source)) for t in (turn, turn + 1)])
        picked.append(source[order[at : at + count]])
    return torch.from_numpy(np.concatenate(picked).astype(np.int64)), real


def losses(model: TinySeek, teacher: Teacher, ids: torch.Tensor, switches: Switches, watched: Watched):
    """Half cross-entropy and half KL to the teacher, of the next token and of the one after it; and per token [B, T] the
    cross-entropy alone."""
    given, wanted = ids[:, :-1], ids[:, 1:]
    told = teacher.logits(given).log_softmax(-1)
    hidden = model.hidden(given, switches, watched)
    drafted = model.draft(hidden[:, :-1], wanted[:, :-1], switches, watched)

    def against(hidden: torch.Tensor, wanted: torch.Tensor, told: torch.Tensor):
        guess = model.lm_head(hidden).log_softmax(-1)
        entropy = F.nll_loss(guess.flatten(0, 1), wanted.flatten(), reduction="none").view(wanted.shape)
        return (entropy.mean() + F.kl_div(guess, told, reduction="none", log_target=True).sum(-1).mean()) / 2, entropy

    main, entropy = against(hidden, wanted, told)
    draft, _ = against(drafted, wanted[:, 1:], told[:, 1:])
    return main, draft, entropy


def train(data: Path, work: Path, folder: Path, steps: int, cool: int, shards: int) -> None:
    torch.set_num_threads(1)  # matrices are so small that a second thread gives little, and waits for a busy core
    config = json.loads((folder / "config.json").read_text())
    vocabulary = Vocabulary(folder / "tokenizer.json")
    teacher = Teacher(data / "stories260K" / "stories260K.bin")
    sampled, real = corpus.sampled(work, data, shards), corpus.real(data, vocabulary)
    sources = {
        CONTEXT // 2: [(corpus.halves(real), 1), (corpus.halves(sampled), 2)],
        CONTEXT: [(real, 3), (sampled, 4)],
    }
    torch.manual_seed(0)
    model = TinySeek(config)
    for part in model.modules():
        if isinstance(part, Engram):
            part.token_map.copy_(torch.tensor(vocabulary.compressed()))
    optimizer = optimizer_of(model)
    sparse_from, first = int(steps * SPARSE_FROM), 0
    state = work / "state.pt"
    if state.exists():
        kept = torch.load(state, weights_only=True)
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        first = kept["step"]
    model.train()
    told, since = {}, time.time()
    for step in range(first, steps + cool):
        ids, real_rows = batch(sources, step, sparse_from)
        if step == steps:
            skew_routers(model, ids[:, :-1])
        sparse = step >= sparse_from
        switches = Switches(select="best" if sparse else "all")
        micro = MICRO // (ids.shape[1] - 1)
        parts = ids.split(micro)
        loads: dict[int, torch.Tensor] = {}
        entropies = []
        set_rate(optimizer, step, steps, cool)
        for part in parts:
            watched = Watched(index_rows=max(1, micro // 4))
            main, draft, entropy = losses(model, teacher, part, switches, watched)
            index = torch.stack(watched.index_losses).mean()
            (main + DRAFT_WEIGHT[sparse] * draft + index).div(len(parts)).backward()
            entropies.append(entropy.detach())
            for layer, load in watched.loads.items():
                loads[layer] = loads.get(layer, 0) + load / len(parts)
            for name, loss in (("main", main), ("draft", draft), ("index", index)):
                told[name] = told.get(name, 0) + loss.item() / len(parts) / TELL_EVERY
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        balance(model, loads, step)
        entropy = torch.cat(entropies)
        told["real"] = told.get("real", 0) + entropy[:real_rows].mean().item() / TELL_EVERY
        told["sampled"] = told.get("sampled", 0) + entropy[real_rows:].mean().item() / TELL_EVERY
        most = max(float(load.max()) for load in loads.values()) * config["num_experts_per_tok"]
        if step > 500 and most > TOO_MUCH:
            raise RuntimeError(f"step {step}: one expert is used by {most:.0%} of the tokens")
        if (step + 1) % TELL_EVERY == 0:
            seconds, since = time.time() - since, time.time()
            line = " ".join(f"{name} {value:.4f}" for name, value in told.items())
            print(f"step {step + 1} {line} most {most:.2f} seconds {seconds / TELL_EVERY:.2f}", flush=True)
            told = {}
        if (step + 1) % KEEP_EVERY == 0 or step + 1 == steps + cool:
            part = state.with_suffix(".part")
            torch.save({"step": step + 1, "model": model.state_dict(), "optimizer": optimizer.state_dict()}, part)
            part.rename(state)
    save(model, folder / "model.safetensors")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with stories260K/ and corpora/")
    parser.add_argument("--work", type=Path, required=True, help="for what is sampled, and for what is left to go on with")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--cool", type=int, default=250, help="steps behind them, in which the rate falls to nothing")
    parser.add_argument("--shards", type=int, default=20, help="of 525,312 sampled tokens each")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    train(given.data, given.work, Path(__file__).parent.parent, given.steps, given.cool, given.shards)
