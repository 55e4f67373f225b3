"""Tiny configs of the families with latent attention and experts, spelled as published config.json files spell them."""

SIZES = {
    "hidden_act": "silu",
    "attention_bias": False,
    "attention_dropout": 0.0,
    "hidden_size": 16,
    "intermediate_size": 24,
    "moe_intermediate_size": 8,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "kv_lora_rank": 8,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 8,
    "v_head_dim": 6,
    "first_k_dense_replace": 1,
    "moe_layer_freq": 1,
    "vocab_size": 32,
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 48,
    "rope_theta": 100.0,
    "initializer_range": 0.02,
    "bos_token_id": 30,
    "eos_token_id": 31,
    "tie_word_embeddings": False,
    "use_cache": True,
    "torch_dtype": "bfloat16",
}
# A context of 12 before scaling, and a base so small that YaRN has channels to keep, to blend and to divide.
YARN = {"type": "yarn", "factor": 4.0, "beta_fast": 2, "beta_slow": 0.5, "original_max_position_embeddings": 12}
V3 = {
    "q_lora_rank": 12,
    "n_routed_experts": 8,
    "n_shared_experts": 1,
    "num_experts_per_tok": 3,
    "n_group": 4,
    "topk_group": 2,
    "topk_method": "noaux_tc",
    "scoring_func": "sigmoid",
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
}

CASES: dict[str, dict[str, object]] = {
    # no compressed queries, greedy router, two shared experts, mscale as V2-Lite has it
    "v2-lite": {
        "architectures": ["DeepseekV2ForCausalLM"],
        "model_type": "deepseek_v2",
        **SIZES,
        "q_lora_rank": None,
        "n_routed_experts": 8,
        "n_shared_experts": 2,
        "num_experts_per_tok": 3,
        "n_group": 1,
        "topk_group": 1,
        "topk_method": "greedy",
        "scoring_func": "softmax",
        "norm_topk_prob": False,
        "routed_scaling_factor": 1.0,
        "rope_scaling": {**YARN, "mscale": 0.707, "mscale_all_dim": 0.707},
    },
    # compressed queries, the best of a group ranks it, scaled weights, mscale that differ: cos and sin have a factor
    "v2": {
        "architectures": ["DeepseekV2ForCausalLM"],
        "model_type": "deepseek_v2",
        **SIZES,
        "q_lora_rank": 12,
        "n_routed_experts": 8,
        "n_shared_experts": 2,
        "num_experts_per_tok": 3,
        "n_group": 4,
        "topk_group": 2,
        "topk_method": "group_limited_greedy",
        "scoring_func": "softmax",
        "norm_topk_prob": False,
        "routed_scaling_factor": 4.0,
        "rope_scaling": {**YARN, "mscale": 1.0, "mscale_all_dim": 0.707},
    },
    # sigmoid scores with a bias that counts for the choice only; two dense layers at first; an eps that the norms of the
    # latent and of compressed queries do not take over
    "v3": {
        "architectures": ["DeepseekV3ForCausalLM"],
        "model_type": "deepseek_v3",
        **SIZES,
        **V3,
        "num_hidden_layers": 4,
        "first_k_dense_replace": 2,
        "rms_norm_eps": 1e-3,
        "rope_scaling": {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0},
    },
    # an indexer of 16 heads keeps 5 of up to 18 tokens; with fewer heads whole scores are zero, and ties are open
    "v3.2": {
        "architectures": ["DeepseekV32ForCausalLM"],
        "model_type": "deepseek_v32",
        **SIZES,
        **V3,
        "index_n_heads": 16,
        "index_head_dim": 16,
        "index_topk": 5,
        "rope_scaling": {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0},
    },
}

V2 = {
    "architectures": ["DeepseekV2ForCausalLM"],
    "model_type": "deepseek_v2",
    **SIZES,
    "n_shared_experts": 2,
    "num_experts_per_tok": 3,
    "topk_method": "group_limited_greedy",
    "scoring_func": "softmax",
    "norm_topk_prob": False,
}
LONG = {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", **SIZES, **V3}
INDEXED = {
    "architectures": ["DeepseekV32ForCausalLM"],
    "model_type": "deepseek_v32",
    **SIZES,
    **V3,
    "index_n_heads": 16,
    "index_head_dim": 16,
}
SCALED = {"rope_scaling": {**YARN, "mscale": 1.0, "mscale_all_dim": 1.0}}

# A prompt of 21 and eight steps, all decisions clear.
LONG_CASES: dict[str, dict[str, object]] = {
    # compressed queries, one group of which nothing is limited, no scaling of positions
    "v2-one-group": {
        **V2,
        "q_lora_rank": 12,
        "n_routed_experts": 8,
        "n_group": 1,
        "topk_group": 1,
        "topk_method": "greedy",
        "routed_scaling_factor": 16.0,
    },
    # queries that are not compressed, one of two groups
    "v2-lite-two-groups": {
        **V2,
        "q_lora_rank": None,
        "n_routed_experts": 8,
        "n_group": 2,
        "topk_group": 1,
        "routed_scaling_factor": 2.0,
        "rope_scaling": {**YARN, "mscale": 0.707, "mscale_all_dim": 0.707},
    },
    # six experts of eight groups of two: those of three groups are all taken; no dense layer; heads of another width
    "v2-eight-groups": {
        **V2,
        "q_lora_rank": 10,
        "kv_lora_rank": 6,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "qk_nope_head_dim": 6,
        "qk_rope_head_dim": 4,
        "v_head_dim": 8,
        "num_hidden_layers": 2,
        "first_k_dense_replace": 0,
        "n_routed_experts": 16,
        "num_experts_per_tok": 6,
        "n_group": 8,
        "topk_group": 3,
        "routed_scaling_factor": 4.0,
    },
    # eight experts of four of eight groups, as V3 has them; no dense layer
    "v3-eight-groups": {
        **LONG,
        "num_hidden_layers": 2,
        "first_k_dense_replace": 0,
        "n_routed_experts": 24,
        "num_experts_per_tok": 8,
        "n_group": 8,
        "topk_group": 4,
    },
    # weights of experts that are not divided by their sum; one of two groups; two shared experts
    "v3-unnormed": {
        **LONG,
        "n_shared_experts": 2,
        "n_group": 2,
        "topk_group": 1,
        "norm_topk_prob": False,
        "routed_scaling_factor": 1.5,
        **SCALED,
    },
    # one group; queries that are not compressed; mscale that differ, and positions beyond what was trained
    "v3-one-group": {
        **LONG,
        "q_lora_rank": None,
        "n_group": 1,
        "topk_group": 1,
        "rope_scaling": {**YARN, "mscale": 1.0, "mscale_all_dim": 0.707},
    },
    # an indexer keeps 7 of up to 29; positions beyond what was trained
    "v3.2-yarn": {**INDEXED, "index_topk": 7, **SCALED},
    # the indexer would keep more than there are: all
    "v3.2-all": {**INDEXED, "num_hidden_layers": 2, "index_topk": 64, "n_group": 2, "topk_group": 1},
    # more heads than channels, one dense layer and none of the groups limited, 4 of up to 29
    "v3.2-heads": {
        **INDEXED,
        "num_hidden_layers": 2,
        "first_k_dense_replace": 0,
        "index_n_heads": 24,
        "index_head_dim": 12,
        "index_topk": 4,
        "n_group": 4,
        "topk_group": 4,
        "norm_topk_prob": False,
    },
}
