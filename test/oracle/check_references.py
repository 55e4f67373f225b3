"""The references against what others have computed: worked examples, hashes of the published sizes, torch,
and recordings of transformers.

    python check_references.py FOLDER    which has worked-examples.json and engram-golden.json
"""

import json
import sys
from pathlib import Path

import torch

from reference import deepseek_moe, deepseek_v32, engram, engram_lm, experts, formats, layers

torch.set_default_dtype(torch.float64)
# worked examples have ten digits
DIGITS = 2e-9


def same(name: str, found, wanted, tolerance: float = DIGITS) -> None:
    found, wanted = torch.as_tensor(found).double(), torch.as_tensor(wanted).double()
    assert found.shape == wanted.shape, (name, found.shape, wanted.shape)
    off = float(((found - wanted).abs() / wanted.abs().clamp(min=1)).max())
    assert off <= tolerance, (name, off)
    print(f"{name}: {off:.1e}")


def tensor(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def worked_examples(given: dict) -> None:
    yarn = given["yarn_deepseek"]
    scaling = {
        "factor": yarn["factor"],
        "original_max_position_embeddings": yarn["original"],
        "beta_fast": yarn["beta_fast"],
        "beta_slow": yarn["beta_slow"],
    }
    same("yarn", layers.frequencies(yarn["dim"], yarn["base"], scaling), yarn["inv_freq"], 1e-10)
    pairings = given["rope_pairings"]
    x = tensor(pairings["x"])[None]
    angles = tensor([pairings["inv_freq"]]) * pairings["position"]
    same("halves", layers.rotate_halves(x, angles)[0], pairings["half_split"])
    same("adjacent", layers.rotate_adjacent(x, angles)[0], pairings["adjacent"])
    for kind in ("A", "C"):
        case = given[f"router_{kind}"]
        if kind == "A":
            routed = experts.softmax_greedy(tensor([case["logits"]]), case["k"], case["scale"])
        else:
            sizes = (case["k"], case["groups"], case["topk_group"])
            routed = experts.sigmoid_biased(tensor([case["logits"]]), tensor(case["bias"]), *sizes, True, case["scale"])
        same(f"router {kind}, experts", routed.experts[0], case["experts"], 0)
        same(f"router {kind}, weights", routed.weights[0], case["weights"])
    transformed = given["hadamard_8"]
    same("hadamard", formats.hadamard(tensor(transformed["x"])), transformed["y"])
    rounding = given["e4m3_rne"]
    same("e4m3", formats.e4m3(tensor([case["x"] for case in rounding])), [case["q"] for case in rounding], 0)
    codes = torch.tensor([case["code"] for case in rounding])
    same("e4m3 codes", formats.decode_e4m3(codes), [case["q"] for case in rounding], 0)
    bytes_, finite = torch.arange(256, dtype=torch.uint8), [code for code in range(256) if code & 127 != 127]
    same("e4m3 as torch has it", formats.decode_e4m3(bytes_[finite]), bytes_[finite].view(torch.float8_e4m3fn), 0)
    scales = given["ue8m0_scale"]
    found = formats.ue8m0_scale(tensor([case["amax"] for case in scales]))
    same("ue8m0", found.log2(), [case["scale_exponent"] for case in scales], 0)
    group = given["act_quant_one_group"]
    same("fp8 round trip", formats.through_fp8(tensor(group["x"]), []), group["ue8m0"]["dequant"], 0)
    mla(given["mla"])
    indexer(given["indexer"])
    hashes(given["ngram_hash_tiny"], "tiny")
    gates(given["engram_gate"])
    convolution(given["engram_conv"])
    joined(given["mtp_input"])


def mla(case: dict) -> None:
    """Attention alone; an indexer of nothing keeps everything."""
    config = {
        **{"q_lora_rank": 3, "num_attention_heads": 2, "kv_lora_rank": 3, "qk_nope_head_dim": 2, "qk_rope_head_dim": 2, "v_head_dim": 2},
        **{"rope_theta": 10000, "index_n_heads": 1, "index_head_dim": 2, "index_topk": 99},
        "rope_scaling": {
            **{"factor": 40, "original_max_position_embeddings": 4096, "beta_fast": 32, "beta_slow": 1},
            **{"mscale": 1.0, "mscale_all_dim": 1.0},
        },
    }
    path = "model.layers.0.self_attn"
    w = {f"{path}.{name}.weight": tensor(values) for name, values in case["weights"].items()}
    w |= {
        f"{path}.indexer.wq_b.weight": torch.zeros(2, 3),
        f"{path}.indexer.wk.weight": torch.zeros(2, 4),
        f"{path}.indexer.k_norm.weight": torch.ones(2),
        f"{path}.indexer.k_norm.bias": torch.ones(2),
        f"{path}.indexer.weights_proj.weight": torch.zeros(1, 4),
    }
    numerics = deepseek_v32.Numerics(exact=True, fp8_latent=False)
    y = deepseek_v32.attend(tensor(case["x"]), 0, config, w, numerics, deepseek_v32.Seen())
    same("latent attention", y, case["y_all_tokens"])


def indexer(case: dict) -> None:
    """The example starts behind the projections: unit matrices stand for them, and a norm that does nothing."""
    q, k, weights = tensor(case["q"]), tensor(case["k"]), tensor(case["w"])
    heads, dim = q.shape[1:]
    config = {"index_n_heads": heads, "index_head_dim": dim, "qk_rope_head_dim": 4, "rope_theta": 10000}
    w = {
        "i.wq_b.weight": torch.eye(heads * dim),
        "i.wk.weight": torch.cat([torch.eye(dim), torch.zeros(dim, heads)], 1),
        "i.k_norm.weight": torch.ones(dim),
        "i.k_norm.bias": torch.zeros(dim),
        "i.weights_proj.weight": torch.cat([torch.zeros(heads, dim), torch.eye(heads)], 1),
    }
    kept, deepseek_v32.layer_norm = deepseek_v32.layer_norm, lambda x, *_: x
    for name, exact in (("plain", True), ("fp8", False)):
        numerics = deepseek_v32.Numerics(exact, fp8_latent=False)
        x = torch.cat([k, weights], 1)
        scores = deepseek_v32.index_scores(x, q.flatten(1), config, w, "i", numerics, deepseek_v32.Seen())
        for t, row in enumerate(case[f"scores_{name}"]):
            same(f"index scores {name}, {t}", scores[t, : t + 1], row[: t + 1])
        assert deepseek_v32.select(scores, 3).positions == case[f"selected_{name}"]
    deepseek_v32.layer_norm = kept


def hashes(case: dict, name: str) -> None:
    found = engram.hashings(case["layers"], case["bases"], case["heads"], case["compressed_vocab"], case["seed"])
    for layer, hashing in found.items():
        assert hashing.sizes == case["primes"][str(layer)], name
        assert [str(m) for m in hashing.multipliers] == case[f"layer{layer}_multipliers"], name
    assert engram.row_ids(case["compressed_ids"], case["pad_compressed"], found[1]) == case["layer1_rows_before_offset"]
    assert found[1].offsets == case["layer1_head_offsets"]
    print(f"hashes, {name}: equal")


def full_size_hashes(given: dict) -> None:
    v41 = given["v41"]
    bases = [v41["base"]] * (v41["max_ngram"] - 1)
    found = engram.hashings([1, 14], bases, v41["heads"], v41["compressed_vocab"], v41["seed"])
    for layer, hashing in found.items():
        assert hashing.sizes == v41["primes"][str(layer)] and hashing.rows == v41["rows_per_layer"][str(layer)]
        assert [str(m) for m in hashing.multipliers] == v41["multipliers"][str(layer)]
    example = v41["example"]
    rows = engram.row_ids(example["compressed_ids"], example["pad"], found[1])
    assert rows == example["layer1_bucket_indices_before_offset"]
    demo = given["demo"]
    tokens = demo["v3_tokenizer"]
    found = engram.hashings([1, 15], demo["bases"], demo["heads"], tokens["compressed_vocab"], demo["seed"])
    for layer, hashing in found.items():
        assert hashing.sizes == demo["primes"][str(layer)] and hashing.rows == demo["rows_per_layer"][str(layer)]
        rows = engram.row_ids(tokens["example"]["compressed_ids"], tokens["pad_id_compressed"], hashing)
        assert rows == tokens["example"][f"layer{layer}_rows_before_offset"]
    print("hashes of the published sizes: equal")


def gates(case: dict) -> None:
    """One stream; an embedding of one number, which the keys' weights make k of."""
    k, x = tensor(case["k"]), tensor(case["x_stream"])
    d = len(k)
    w = {
        **{"e.key_projs.0.weight": k[:, None], "e.key_projs.0.bias": torch.zeros(d)},
        **{"e.value_proj.weight": torch.zeros(d, 1), "e.value_proj.bias": torch.zeros(d)},
        **{"e.norm1.0.weight": tensor(case["norm1_w"]), "e.norm2.0.weight": tensor(case["norm2_w"])},
        **{"e.short_conv.norms.0.weight": torch.ones(d), "e.short_conv.conv.weight": torch.zeros(d, 1, 4)},
        "e.wkv.weight": torch.cat([k[:, None], torch.zeros(d, 1)]),
        **{"e.k_weight": tensor([case["norm1_w"]]), "e.q_weight": tensor([case["norm2_w"]])},
    }
    e = torch.ones(1, 1)
    one = engram.paper(x[None, None], e, w, "e", 2**-23, 1e-5)
    same("gate of the paper", [one.z[0, 0], one.gates[0, 0]], [case["z_demo"], case["gate_demo"]])
    other = engram.production(x[None, None], e, w, "e")
    same("gate of production", [other.z[0, 0], other.gates[0, 0]], [case["z_production"], case["gate_production"]])


def convolution(case: dict) -> None:
    u = tensor(case["u"])[:, None]
    w = {
        "e.short_conv.norms.0.weight": tensor(case["norm_w"]),
        "e.short_conv.conv.weight": tensor(case["conv_w"])[:, None],
    }
    out = (u + engram.short_convolution(u, w, "e", 1e-5))[-1, 0]
    same("convolution", out, case["out_last"])
    normed = layers.rms_norm(u[:, 0], w["e.short_conv.norms.0.weight"], 1e-5)
    padded = torch.nn.functional.conv1d(
        normed.T, w["e.short_conv.conv.weight"], padding=9, dilation=3, groups=len(case["conv_w"])
    )
    plain = torch.nn.functional.silu(padded[:, : len(u)]).T
    same("convolution as torch has it", engram.short_convolution(u, w, "e", 1e-5)[:, 0], plain, 1e-14)


def joined(case: dict) -> None:
    e = layers.rms_norm(tensor(case["embed"]), tensor(case["enorm"]), 1e-6)
    h = layers.rms_norm(tensor(case["H"]), tensor(case["hnorm"]), 1e-6)
    same("input of MTP", torch.cat([e, h]) @ tensor(case["Weh"]).T, case["u"], 1e-6)


def transformers_v32() -> None:
    """The recordings of transformers, with this reference's exact numerics."""
    folder = Path(__file__).parent
    for file in sorted((folder / "recorded-sparse").glob("v3.2*.json")):
        recording = json.loads(file.read_text())
        config = recording["config"]
        ids = recording["ids"] + recording["steps"]
        w = weights_of(recording["seed"], deepseek_v32.shapes(config))
        assert {name: list(values.shape) for name, values in w.items()} == {
            name: made["shape"] for name, made in recording["tensors"].items()
        }
        logits, seen = deepseek_v32.run(ids, config, w, deepseek_v32.Numerics(exact=True, fp8_latent=False))
        same(f"{file.stem}, logits", logits, recording["logits"], 1e-8)
        for name, rows in recording["hidden"].items():
            same(f"{file.stem}, {name}", seen.hidden[name], rows, 1e-8)
        for layer, made in recording["selected"].items():
            assert seen.selected[int(layer)].positions == made["positions"]
        for layer, made in recording["experts"].items():
            assert seen.experts[int(layer)].experts.sort(-1).values.tolist() == made["experts"]
            same(f"{file.stem}, gaps {layer}", seen.experts[int(layer)].gaps, of_null(made["gaps"]), 1e-2)


def transformers_mtp() -> None:
    """Recorded drafts of V3: an indexer that keeps everything makes V3.2 of it."""
    for file in sorted((Path(__file__).parent / "recorded-mtp").glob("*.json")):
        recording = json.loads(file.read_text())
        config = {**recording["config"], "index_n_heads": 1, "index_head_dim": 8, "index_topk": 999}
        tokens = recording["ids"] + recording["steps"]
        shapes = deepseek_v32.shapes(config)
        index = {name: shape for name, shape in shapes.items() if ".indexer." in name}
        w = weights_of(recording["seed"], {name: shape for name, shape in shapes.items() if name not in index})
        assert {name for name in w} == {name for name, made in recording["tensors"].items() if "as" not in made}
        w |= {name: torch.ones(shape) for name, shape in index.items()}
        numerics = deepseek_v32.Numerics(exact=True, fp8_latent=False)
        logits, seen = deepseek_v32.run(tokens, config, w, numerics)
        same(f"{file.stem}, logits", logits, recording["logits"], 1e-8)
        count = len(recording["draft_hidden"])
        drafts, drafted = deepseek_v32.draft(seen.hidden["norm"][:count], tokens[1 : count + 1], config, w, numerics)
        same(f"{file.stem}, hidden states of drafts", drafted.hidden["mtp"], recording["draft_hidden"], 1e-8)
        last = [made["known"] - 2 for made in recording["drafts"]]
        same(f"{file.stem}, drafts", drafts[last], recording["draft_logits"], 1e-8)


def transformers_v2() -> None:
    """The layers of the model with Engram, without it."""
    for name in ("v2-lite", "v2-one-group"):
        recording = json.loads((Path(__file__).parent / "recorded-sparse" / f"{name}.json").read_text())
        config = {**recording["config"], "hc_mult": 1, "engram": {"pad_id": 0}}
        w = weights_of(recording["seed"], engram_lm.shapes({}, config))
        tokens = recording["ids"] + recording["steps"]
        logits, seen = engram_lm.run(tokens, list(range(config["vocab_size"])), {}, config, w)
        same(f"{name}, logits", logits, recording["logits"], 1e-8)
        for part, rows in recording["hidden"].items():
            same(f"{name}, {part}", seen.hidden[part], rows, 1e-8)


def of_null(gaps: list) -> torch.Tensor:
    return tensor([float("inf") if gap is None else gap for gap in gaps])


def weights_of(seed: int, shapes: dict[str, tuple[int, ...]]) -> layers.Weights:
    from seeded_weights import seeded_tensor

    return {name: torch.from_numpy(seeded_tensor(seed, name, shape)).double() for name, shape in shapes.items()}


def moe_attention() -> None:
    """The dense layers of DeepSeekMoE are those of Llama: the recorded Llamas of as many layers as they have."""
    folder = Path(__file__).parent
    for name in ("llama-mha", "llama-gqa"):
        recording = json.loads((folder / "recorded" / f"{name}.json").read_text())
        config = {**recording["config"], "first_k_dense_replace": 99}
        config["rope_theta"] = config.get("rope_theta") or config["rope_parameters"]["rope_theta"]
        w = weights_of(recording["seed"], deepseek_moe.shapes(config))
        found = deepseek_moe.run(recording["ids"] + recording["steps"], config, w)
        same(f"{name}, logits", found.logits, recording["logits"], 1e-8)
        for part, rows in recording["hidden"].items():
            same(f"{name}, {part}", found.hidden[part], rows, 1e-8)


if __name__ == "__main__":
    specifications = Path(sys.argv[1])
    worked_examples(json.loads((specifications / "worked-examples.json").read_text()))
    full_size_hashes(json.loads((specifications / "engram-golden.json").read_text()))
    moe_attention()
    transformers_v2()
    transformers_v32()
    transformers_mtp()
