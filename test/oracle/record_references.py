"""Records what reference/ computes, in f64, for tiny models that no installable package computes, or not so.

    python record_references.py            writes recorded-references/*.json
    python record_references.py --check    compares with what is there, byte for byte
"""

from pathlib import Path

import numpy
import torch

import reference_cases as cases
from choices import shown
from record_dense import is_clear, write_all
from recording import common_lines, compact, drafts_are_mixed, drafts_line, fresh_ids, made_of, row_line, table, written
from reference import deepseek_moe, deepseek_v32, engram, engram_lm
from seeded_weights import fnv1a, mulberry32, seeded_codes, seeded_tensor

PROMPT, STEPS = 21, 8
MTP_PROMPT, MTP_STEPS = 9, 16
SEEDS = 30000
# Choices: no set may change by what f32 rounds. Where scores go through FP8, a number beside the middle of two is rounded
# otherwise in f32, and a score moves: those gaps are ten times as large.
LEAST_GAP = 5e-4
LEAST_FP8_GAP = 2e-3
# of a latent to where it would be rounded otherwise, in steps of the format: several times what f32 may be off
LEAST_ROUNDING_GAP = 3e-5
DRAFT_MARGIN = 0.01
# of what a gate has a root of: near 0 the root is steep
LEAST_Z = 1e-3
FOLDER = Path(__file__).parent / "recorded-references"


def of_seed(seed: int, shapes: dict[str, tuple[int, ...]]) -> dict[str, numpy.ndarray]:
    return {name: seeded_tensor(seed, name, shape) for name, shape in shapes.items()}


def wide(tensors: dict[str, numpy.ndarray]) -> dict[str, torch.Tensor]:
    """f64, but for codes."""
    real = lambda tensor: tensor if tensor.dtype == numpy.uint8 else tensor.astype(numpy.float64)  # noqa: E731
    return {name: torch.from_numpy(real(tensor)) for name, tensor in tensors.items()}


def greedy(ids: list[int], steps: int, logits_of) -> list[int]:
    tokens = list(ids)
    for _ in range(steps):
        tokens.append(int(logits_of(tokens)[-1].argmax()))
    return tokens


def routes(experts: dict) -> dict[int, dict]:
    return {
        layer: {"experts": made.experts.sort(-1).values.tolist(), "gaps": [shown(gap) for gap in made.gaps.tolist()]}
        for layer, made in experts.items()
    }


def selections(selected: dict) -> dict[int, dict]:
    return {
        layer: {"positions": made.positions, "gaps": [shown(gap) for gap in made.gaps.tolist()]}
        for layer, made in selected.items()
    }


def least(choices: dict) -> float:
    return min((float(made.gaps.min()) for made in choices.values()), default=float("inf"))


def steps_of(logits: torch.Tensor, tokens: list[int], prompt: int) -> dict:
    return {"logits": logits, "next": torch.tensor(tokens[prompt:])}


def record_moe(name: str, config: dict) -> str:
    for seed in range(1, SEEDS):
        ids = fresh_ids(name, seed, PROMPT, config["vocab_size"])
        tensors = of_seed(seed, deepseek_moe.shapes(config))
        w = wide(tensors)
        tokens = greedy(ids, STEPS, lambda known: deepseek_moe.run(known, config, w).logits)
        made = deepseek_moe.run(tokens, config, w)
        if is_clear(steps_of(made.logits, tokens, PROMPT), PROMPT, config["eos_token_id"]) and (
            least(made.experts) >= LEAST_GAP
        ):
            break
    else:
        raise RuntimeError(f"{name}: no seed gives clear choices")
    print(f"{name}: seed {seed}, steps {tokens[PROMPT:]}, experts' gap {least(made.experts):.1e}")
    choices = {"experts": routes(made.experts)}
    return written(common_lines(name, seed, config, tensors, ids, tokens[PROMPT:], made.hidden, made.logits, choices=choices))


def is_far(seen: deepseek_v32.Seen, numerics: deepseek_v32.Numerics) -> bool:
    index_gap = LEAST_GAP if numerics.exact else LEAST_FP8_GAP
    latents_are_far = min(seen.latent_margins, default=1) >= LEAST_ROUNDING_GAP
    return least(seen.experts) >= LEAST_GAP and least(seen.selected) >= index_gap and latents_are_far


def gaps_lines(settings: dict[str, bool], *runs: deepseek_v32.Seen) -> list[str]:
    gaps = {
        "experts": min(least(seen.experts) for seen in runs),
        "selected": min(least(seen.selected) for seen in runs),
        "latent_rounding": min((margin for seen in runs for margin in seen.latent_margins), default=float("inf")),
        "index_rounding": min((margin for seen in runs for margin in seen.index_margins), default=float("inf")),
    }
    print("  least gaps", {key: shown(gap) for key, gap in gaps.items()})
    return [f'"settings": {compact(settings)}', f'"least_gaps": {compact({key: shown(gap) for key, gap in gaps.items()})}']


def record_v32(name: str, case: tuple[dict[str, bool], dict]) -> str:
    settings, config = case
    numerics = deepseek_v32.Numerics(**settings)
    shapes = deepseek_v32.shapes(config)
    for seed in range(1, SEEDS):
        ids = fresh_ids(name, seed, PROMPT, config["vocab_size"])
        tensors = of_seed(seed, shapes)
        w = wide(tensors)
        # most seeds fail here already
        if not is_far(deepseek_v32.run(ids, config, w, numerics)[1], numerics):
            continue
        tokens = greedy(ids, STEPS, lambda known: deepseek_v32.run(known, config, w, numerics)[0])
        logits, seen = deepseek_v32.run(tokens, config, w, numerics)
        if is_far(seen, numerics) and is_clear(steps_of(logits, tokens, PROMPT), PROMPT, config["eos_token_id"]):
            break
    else:
        raise RuntimeError(f"{name}: no seed gives clear choices")
    print(f"{name}: seed {seed}, steps {tokens[PROMPT:]}")
    choices = {"experts": routes(seen.experts), "selected": selections(seen.selected)}
    lines = common_lines(name, seed, config, tensors, ids, tokens[PROMPT:], seen.hidden, logits, choices=choices)
    return written([*lines, *gaps_lines(settings, seen)])


def verified(tokens: list[int], prompt: int, drafts: torch.Tensor) -> list[dict]:
    """The loop of one draft a step: what is drafted when `known` tokens are there, and whether it was what came."""
    made, known = [], prompt + 1
    while known < len(tokens):
        token = int(drafts[known - 2].argmax())
        good = tokens[known] == token
        made.append({"known": known, "token": token, "accepted": good})
        known += 2 if good else 1
    return made


def record_v32_mtp(name: str, case: tuple[dict[str, bool], dict]) -> str:
    settings, config = case
    numerics = deepseek_v32.Numerics(**settings)
    shapes = deepseek_v32.shapes(config)
    for seed in range(1, SEEDS):
        ids = fresh_ids(name, seed, MTP_PROMPT, config["bos_token_id"])
        tensors = of_seed(seed, shapes)
        w = wide(tensors)
        if not is_far(deepseek_v32.run(ids, config, w, numerics)[1], numerics):
            continue
        tokens = greedy(ids, MTP_STEPS, lambda known: deepseek_v32.run(known, config, w, numerics)[0])
        logits, seen = deepseek_v32.run(tokens, config, w, numerics)
        # the last token has no next one
        drafts, drafted = deepseek_v32.draft(seen.hidden["norm"][:-1], tokens[1:], config, w, numerics)
        loop = verified(tokens, MTP_PROMPT, drafts)
        best = drafts[[made["known"] - 2 for made in loop]].topk(2).values
        if (
            is_far(seen, numerics)
            and is_far(drafted, numerics)
            and is_clear(steps_of(logits, tokens, MTP_PROMPT), MTP_PROMPT, config["eos_token_id"], DRAFT_MARGIN)
            and float((best[:, 0] - best[:, 1]).min()) > DRAFT_MARGIN
            and drafts_are_mixed([made["accepted"] for made in loop])
        ):
            break
    else:
        raise RuntimeError(f"{name}: no seed gives drafts of both kinds")
    print(f"{name}: seed {seed}, steps {tokens[MTP_PROMPT:]}, right {[made['accepted'] for made in loop]}")
    path = f"model.layers.{config['num_hidden_layers']}"
    twice = {
        f"{path}.embed_tokens.weight": "model.embed_tokens.weight",
        f"{path}.shared_head.head.weight": "lm_head.weight",
    }
    tensors |= {copy: tensors[of] for copy, of in twice.items()}
    choices = {
        "experts": routes(seen.experts | drafted.experts),
        "selected": selections(seen.selected | drafted.selected),
    }
    steps = tokens[MTP_PROMPT:]
    return written(
        [
            *common_lines(name, seed, config, tensors, ids, steps, seen.hidden, logits, twice=twice, choices=choices),
            *gaps_lines(settings, seen, drafted),
            drafts_line(loop),
            row_line("draft_hidden", drafted.hidden["mtp"]),
            row_line("draft_logits", drafts[[made["known"] - 2 for made in loop]]),
        ]
    )


def map_of(name: str, seed: int, vocabulary: int) -> list[int]:
    """A compressed id for every token: a fourth of them have that of an earlier one, the others new ones in order."""
    made: list[int] = []
    for bits in mulberry32(fnv1a(f"{seed}/{name}/token_map".encode()), vocabulary).tolist():
        made.append(made[(bits >> 2) % len(made)] if made and bits % 4 == 0 else max(made, default=-1) + 1)
    return made


def hashed(hashing: engram.Hashing, rows: list[list[int]], gated: engram.Gated) -> dict:
    """Multipliers as text: they are beyond 2^53."""
    return {
        "multipliers": [str(multiplier) for multiplier in hashing.multipliers],
        "primes": hashing.sizes,
        "offsets": hashing.offsets,
        "rows": rows,
        "z": table(gated.z),
        "gates": table(gated.gates),
        "added": table(gated.added.flatten(1)),
    }


def hashed_lines(token_map: list[int], layers: dict[int, dict]) -> list[str]:
    rows = ",\n".join(f'"{layer}": {compact(made)}' for layer, made in layers.items())
    return [f'"token_map": {compact(token_map)}', f'"memories": {{\n{rows}\n}}']


def is_steep(gated: engram.Gated) -> bool:
    return float(gated.z.abs().min()) < LEAST_Z


def record_engram_lm(name: str, fields: dict) -> str:
    own = fields["engram"]
    for seed in range(1, SEEDS):
        ids = fresh_ids(name, seed, PROMPT, fields["vocab_size"])
        token_map = map_of(name, seed, fields["vocab_size"])
        compressed = max(token_map) + 1
        hashing = engram.hashings(own["layer_ids"], cases.BASES, own["n_head_per_ngram"], compressed, own["seed"])
        config = {**fields, "engram": {**own, "compressed_vocab_size": compressed, "engram_vocab_size": cases.BASES}}
        tensors = of_seed(seed, engram_lm.shapes(hashing, config))
        w = wide(tensors)
        tokens = greedy(ids, STEPS, lambda known: engram_lm.run(known, token_map, hashing, config, w)[0])
        logits, seen = engram_lm.run(tokens, token_map, hashing, config, w)
        steep = any(is_steep(gated) for gated in seen.gated.values())
        if not steep and least(seen.experts) >= LEAST_GAP and (
            is_clear(steps_of(logits, tokens, PROMPT), PROMPT, config["eos_token_id"])
        ):
            break
    else:
        raise RuntimeError(f"{name}: no seed gives clear choices")
    print(f"{name}: seed {seed}, steps {tokens[PROMPT:]}, experts' gap {least(seen.experts):.1e}")
    choices = {"experts": routes(seen.experts)}
    memories = {layer: hashed(hashing[layer], seen.rows[layer], gated) for layer, gated in seen.gated.items()}
    lines = common_lines(name, seed, config, tensors, ids, tokens[PROMPT:], seen.hidden, logits, choices=choices)
    return written([*lines, *hashed_lines(token_map, memories)])


def production_tensors(seed: int, layer: int, rows: int, config: dict) -> dict[str, numpy.ndarray]:
    path, d, m = f"layers.{layer}.engram", config["hidden_size"], config["hc_mult"]
    width = config["engram_head_dim"]
    e = width * config["engram_n_heads"] * (config["engram_max_ngram_size"] - 1)
    codes = lambda part, shape, kind: {f"{path}.{part}": seeded_codes(seed, f"{path}.{part}", shape, kind)}  # noqa: E731
    return {
        **codes("embed.weight", (rows, width), "f8_e4m3"),
        **codes("embed.scale", (rows, width // engram.SCALE_GROUP), "f8_e8m0"),
        **of_seed(seed, {f"{path}.wkv.weight": ((m + 1) * d, e), f"{path}.q_weight": (m, d), f"{path}.k_weight": (m, d)}),
    }


def kinds_of(tensors: dict[str, numpy.ndarray]) -> dict[str, str]:
    codes = [name for name, tensor in tensors.items() if tensor.dtype == numpy.uint8]
    return {name: "f8_e8m0" if name.endswith("scale") else "f8_e4m3" for name in codes}


def record_engram(name: str, fields: dict) -> str:
    """The module alone: what it adds to streams, which are made from the seed as weights are."""
    length, paper = PROMPT + STEPS, "engram" in fields
    own = fields.get("engram", {})
    layer_ids = own["layer_ids"] if paper else fields["engram_layer_ids"]
    heads = own["n_head_per_ngram"] if paper else fields["engram_n_heads"]
    bases = cases.BASES if paper else [fields["engram_vocab_size"]] * (fields["engram_max_ngram_size"] - 1)
    for seed in range(1, SEEDS):
        ids = fresh_ids(name, seed, length, fields["vocab_size"])
        token_map = map_of(name, seed, fields["vocab_size"])
        compressed = max(token_map) + 1
        hashing = engram.hashings(layer_ids, bases, heads, compressed, own.get("seed", 0))
        pad = token_map[own["pad_id"] if paper else fields["engram_pad_token_id"]]
        config = (
            {**fields, "engram": {**own, "compressed_vocab_size": compressed, "engram_vocab_size": bases}}
            if paper
            else {
                **fields,
                "engram_compressed_vocab_size": compressed,
                "engram_num_embeddings": [hashing[layer].rows for layer in layer_ids],
            }
        )
        tensors, memories, steep = {}, {}, False
        for layer, made in hashing.items():
            streams = f"streams.{layer}"
            tensors |= of_seed(seed, {streams: (length, fields["hc_mult"], fields["hidden_size"])})
            rows = engram.row_ids([token_map[token] for token in ids], pad, made)
            if paper:
                path = f"model.layers.{layer}.engram"
                shapes = engram_lm.engram_shapes(path, made.rows, fields["hc_mult"], fields["hidden_size"], own)
                tensors |= of_seed(seed, shapes)
                w = wide(tensors)
                e = engram.looked_up(w[f"{path}.multi_head_embedding.embedding.weight"], rows, made)
                gated = engram.paper(w[streams], e, w, path, own["gate_norm_eps"], own["conv_norm_eps"])
            else:
                path = f"layers.{layer}.engram"
                tensors |= production_tensors(seed, layer, made.rows, fields)
                w = wide(tensors)
                gated = engram.production(w[streams], engram.looked_up(engram.fp8_table(w, path), rows, made), w, path)
            steep = steep or is_steep(gated)
            memories[layer] = hashed(made, rows, gated)
        if not steep:
            break
    else:
        raise RuntimeError(f"{name}: every seed has a gate beside 0")
    print(f"{name}: seed {seed}")
    return written(
        [
            f'"name": "{name}"',
            f'"versions": {compact({"torch": torch.__version__.split("+")[0], "numpy": numpy.__version__})}',
            f'"seed": {seed}',
            f'"config": {compact(config)}',
            f'"tensors": {compact(made_of(tensors, {}, kinds_of(tensors)))}',
            f'"ids": {compact(ids)}',
            *hashed_lines(token_map, memories),
        ]
    )


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    write_all(cases.MOE_CASES, FOLDER, record_moe)
    write_all(cases.ENGRAM_CASES, FOLDER, record_engram)
    write_all(cases.ENGRAM_LM_CASES, FOLDER, record_engram_lm)
    write_all(cases.V32_CASES, FOLDER, record_v32)
    write_all(cases.V32_MTP_CASES, FOLDER, record_v32_mtp)
