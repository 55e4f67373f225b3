"""Tiny configs of V3 with one MTP layer, spelled as published config.json files spell them."""

from sparse_cases import LONG, SCALED

PROMPT = 9
NEW_TOKENS = 16

# so few tokens that a draft of random weights is right now and then
FEW = {"vocab_size": 16, "bos_token_id": 14, "eos_token_id": 15, "num_nextn_predict_layers": 1}

CASES: dict[str, dict[str, object]] = {
    # one dense layer; YaRN; the context before scaling ends within the drafts
    "v3-mtp": {**LONG, "num_hidden_layers": 2, **FEW, **SCALED},
    # another grouping, and an eps that the norms around the joined input take over
    "v3-mtp-eps": {
        **LONG,
        "num_hidden_layers": 3,
        **FEW,
        "n_group": 2,
        "topk_group": 1,
        "rms_norm_eps": 1e-3,
    },
}
