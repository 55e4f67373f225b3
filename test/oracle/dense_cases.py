"""Tiny configs of the dense family, spelled as published config.json files spell them."""

SIZES = {
    "hidden_act": "silu",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 32,
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 48,
    "initializer_range": 0.02,
    "bos_token_id": 30,
    "eos_token_id": 31,
    "use_cache": True,
    "torch_dtype": "bfloat16",
}
NAMES = {"llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM"}
OF_TYPE = {
    "llama": {"attention_bias": False, "mlp_bias": False, "tie_word_embeddings": False, "pretraining_tp": 1},
    # no `attention_bias`: Qwen2 has biases without saying so
    "qwen2": {"sliding_window": 16, "max_window_layers": 1, "use_sliding_window": False, "tie_word_embeddings": False},
    "qwen3": {
        "attention_bias": False,
        "head_dim": 8,
        "sliding_window": None,
        "max_window_layers": 2,
        "use_sliding_window": False,
        "tie_word_embeddings": False,
    },
}


def config(model_type: str, **fields: object) -> dict[str, object]:
    return {"architectures": [NAMES[model_type]], "model_type": model_type, **SIZES, **OF_TYPE[model_type], **fields}


# A context of 12 before scaling, and bases so small that the scalings have channels to keep, to blend and to divide.
LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 12}
LLAMA3_OTHER = {"factor": 4.0, "low_freq_factor": 0.5, "high_freq_factor": 1.5, "original_max_position_embeddings": 12}
YARN = {"factor": 4.0, "original_max_position_embeddings": 12}

CASES: dict[str, dict[str, object]] = {
    "llama-mha": config("llama", num_key_value_heads=4, rope_theta=10000.0, rope_scaling=None),
    "llama-gqa": config("llama", rope_theta=500000.0, rope_scaling=None, rms_norm_eps=1e-5),
    "llama-head-dim": config(
        "llama",
        head_dim=12,
        num_attention_heads=2,
        num_key_value_heads=1,
        rope_parameters={"rope_theta": 10000.0, "rope_type": "default"},
    ),
    "llama-biases": config("llama", attention_bias=True, rope_theta=10000.0, rope_scaling=None),
    "llama-llama3": config("llama", head_dim=16, rope_theta=100.0, rope_scaling={**LLAMA3, "rope_type": "llama3"}),
    "llama-llama3-parameters": config(
        "llama", rope_parameters={"rope_type": "llama3", "rope_theta": 30.0, **LLAMA3_OTHER}
    ),
    "llama-linear-type": config("llama", rope_theta=100000.0, rope_scaling={"factor": 4.0, "type": "linear"}),
    "llama-linear-parameters": config(
        "llama", rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}
    ),
    "llama-yarn": config("llama", rope_theta=100.0, rope_scaling={**YARN, "rope_type": "yarn"}),
    "llama-yarn-mscale": config(
        "llama",
        head_dim=16,
        rope_theta=100.0,
        rope_scaling={
            **YARN,
            "type": "yarn",
            "beta_fast": 2,
            "beta_slow": 0.5,
            "mscale": 0.707,
            "mscale_all_dim": 1.0,
        },
    ),
    "llama-yarn-factor-parameters": config(
        "llama",
        head_dim=16,
        rope_parameters={
            "rope_type": "yarn",
            "rope_theta": 100.0,
            **YARN,
            "attention_factor": 0.9,
            "beta_fast": 1.5,
            "beta_slow": 0.25,
            "truncate": False,
        },
    ),
    "qwen2-untied": config("qwen2", rope_theta=10000.0, rope_scaling=None),
    "qwen2-tied": config("qwen2", rope_theta=1000000.0, tie_word_embeddings=True),
    "qwen3": config("qwen3", rope_theta=1000000, rope_scaling=None, head_dim=16),
    # `attn_factor` is not a key that transformers reads: it warns, and computes 0.1 ln 4 + 1
    "qwen3-yarn": config(
        "qwen3",
        rope_theta=100,
        rope_scaling={**YARN, "rope_type": "yarn", "attn_factor": 0.8782488562869419},
    ),
    "qwen3-yarn-parameters": config(
        "qwen3", tie_word_embeddings=True, rope_parameters={"rope_type": "yarn", "rope_theta": 1000, **YARN}
    ),
}
