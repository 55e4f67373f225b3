"""What TinySeek is trained on and measured with: stories sampled from the teacher, and the real TinyStories sample.

Of the real stories the first 8 (the teacher's golden set) and the last 50 are held out."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from teacher import CONTEXT, Teacher
from vocabulary import BEGIN, Vocabulary

GOLDEN, HELD_OUT = 8, 50
SHARD = 1024  # rows of CONTEXT + 1 ids
TEMPERATURES = (0.8, 1.0)


def sampled(work: Path, data: Path, shards: int) -> np.ndarray:
    """[rows, CONTEXT + 1] ids. A shard that is there already is read, and none is ever half there."""
    teacher = None
    for shard in range(shards):
        file = work / f"sampled-{shard:03}.npy"
        if not file.exists():
            teacher = teacher or Teacher(data / "stories260K" / "stories260K.bin")
            generator = torch.Generator().manual_seed(1_000_003 * shard + 1)
            low, high = TEMPERATURES
            temperature = low + (high - low) * torch.rand(SHARD, generator=generator)
            ids = teacher.stories(SHARD, BEGIN, temperature, generator).numpy().astype("<u2")
            part = file.with_suffix(".part.npy")
            np.save(part, ids)
            part.rename(file)
            print(f"sampled {shard + 1} of {shards} shards", flush=True)
    return np.concatenate([np.load(work / f"sampled-{shard:03}.npy") for shard in range(shards)])


def real_stories(data: Path) -> list[str]:
    text = (data / "corpora" / "tinystories-sample.txt").read_text("utf-8")
    return [story.strip() for story in text.split("<|endoftext|>") if story.strip()]


def real(data: Path, vocabulary: Vocabulary) -> np.ndarray:
    """[rows, CONTEXT + 1] ids: the stories to train on, one after the other, each behind BEGIN. Neighbouring rows share one id."""
    ids = [id for story in real_stories(data)[GOLDEN:-HELD_OUT] for id in (BEGIN, *vocabulary.encode(story))]
    rows = (len(ids) - 1) // CONTEXT
    return np.stack([np.array(ids[row * CONTEXT : (row + 1) * CONTEXT + 1], "<u2") for row in range(rows)])


def held_out(data: Path, vocabulary: Vocabulary) -> list[list[int]]:
    """Ids of the last stories, each behind BEGIN and cut to what the model can hold."""
    return [[BEGIN, *vocabulary.encode(story)][:CONTEXT] for story in real_stories(data)[-HELD_OUT:]]


def halves(rows: np.ndarray) -> np.ndarray:
    """[rows, CONTEXT + 1] -> [2 rows, CONTEXT / 2 + 1]"""
    half = CONTEXT // 2
    return np.concatenate([rows[:, : half + 1], rows[:, half:]])


def shuffled(count: int, seed: int) -> Iterator[int]:
    """Row numbers without end, each pass in an order of its own."""
    for turn in range(1_000_000):
        yield from np.random.default_rng([seed, turn]).permutation(count)
