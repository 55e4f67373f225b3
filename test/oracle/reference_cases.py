"""Tiny configs for what no installable package computes, or not so: see README.md."""

from sparse_cases import INDEXED, SCALED, SIZES, V2, YARN

MOE = {
    **{key: value for key, value in SIZES.items() if not key.startswith(("qk_", "kv_", "v_head"))},
    "architectures": ["DeepseekForCausalLM"],
    "model_type": "deepseek",
    "rope_scaling": None,
    "n_routed_experts": 8,
    "n_shared_experts": 2,
    "num_experts_per_tok": 3,
    "scoring_func": "softmax",
    "norm_topk_prob": False,
}

MOE_CASES: dict[str, dict[str, object]] = {
    # 16B in small: a dense layer first
    "moe-16b": MOE,
    # 2B in small: no dense layer, one shared expert, more and smaller ones
    "moe-2b": {
        **MOE,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "moe_intermediate_size": 6,
        "first_k_dense_replace": 0,
        "n_routed_experts": 15,
        "n_shared_experts": 1,
        "num_experts_per_tok": 7,
        "rms_norm_eps": 1e-5,
    },
}

# settings of the text, and the config
V32_CASES: dict[str, tuple[dict[str, bool], dict[str, object]]] = {
    # the transform and FP8 in the indexer
    "v3.2-fp8": (
        {"exact": False, "fp8_latent": False},
        {**INDEXED, "num_hidden_layers": 2, "index_topk": 9, **SCALED},
    ),
    # the later revision: the latent, two groups of 128, goes through FP8 too; another width of the transform
    "v3.2-fp8-latent": (
        {"exact": False, "fp8_latent": True},
        {**INDEXED, "num_hidden_layers": 2, "kv_lora_rank": 256, "index_head_dim": 32, "index_topk": 9, **SCALED},
    ),
    # one group of 8 for the latent, which is narrower than 128
    "v3.2-fp8-narrow": (
        {"exact": False, "fp8_latent": True},
        {**INDEXED, "num_hidden_layers": 2, "first_k_dense_replace": 0, "index_n_heads": 20, "index_topk": 9},
    ),
}

# a draft module with an indexer of its own, both ways
FEW = {"vocab_size": 16, "bos_token_id": 14, "eos_token_id": 15, "num_nextn_predict_layers": 1}
V32_MTP_CASES: dict[str, tuple[dict[str, bool], dict[str, object]]] = {
    "v3.2-mtp": (
        {"exact": True, "fp8_latent": False},
        {**INDEXED, "num_hidden_layers": 2, "index_topk": 6, **FEW, **SCALED},
    ),
    "v3.2-mtp-fp8": (
        {"exact": False, "fp8_latent": True},
        {**INDEXED, "num_hidden_layers": 2, "index_topk": 6, **FEW, **SCALED},
    ),
}

# spelled as the published demo's settings, and behind those what it makes of them
PAPER = {
    "max_ngram_size": 3,
    "n_embed_per_ngram": 8,
    "n_head_per_ngram": 2,
    "layer_ids": [1, 2],
    "pad_id": 2,
    "seed": 0,
    "kernel_size": 4,
    "conv_norm_eps": 1e-5,
    "gate_norm_eps": 2.0**-23,
}
BASES = [40, 50]

ENGRAM_LM_CASES: dict[str, dict[str, object]] = {
    "engram-lm": {
        **V2,
        "model_type": "engram",
        "architectures": ["EngramForCausalLM"],
        "q_lora_rank": 12,
        "n_routed_experts": 8,
        "n_group": 1,
        "topk_group": 1,
        "topk_method": "greedy",
        "routed_scaling_factor": 1.0,
        "rope_scaling": {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0},
        "hc_mult": 4,
        "engram": PAPER,
    },
}

ENGRAM_CASES: dict[str, dict[str, object]] = {
    "engram-paper": {"hidden_size": 16, "hc_mult": 4, "vocab_size": 32, "num_hidden_layers": 3, "engram": PAPER},
    "engram-production": {
        "hidden_size": 16,
        "hc_mult": 4,
        "vocab_size": 32,
        "num_hidden_layers": 3,
        "engram_layer_ids": [1, 2],
        "engram_max_ngram_size": 4,
        "engram_vocab_size": 30,
        "engram_n_heads": 2,
        "engram_head_dim": 64,
        "engram_pad_token_id": 2,
    },
}
