"""TinySeek in PyTorch, batched and differentiable. Parameters have the published names of DeepSeek-V3.2 and Engram, except
that the experts of a layer are kept in one tensor; `checkpoint.py` takes them apart.

Axes: B rows, T queries, S keys, D channels, h heads, E experts, K chosen experts, v tokens. Everything is f32."""

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional as F

INDEX_EPS = LATENT_EPS = 1e-6
GATE_EPS = 2**-23
CONV_EPS = 1e-5
LEAST = 1e-6  # under the root of an Engram gate


@dataclass
class Switches:
    """What of the trained model is turned off or done wrong, to see what it is worth."""

    select: str = "best"  # of the positions so far: best | random | all
    router_bias: bool = True
    experts: int | None = None  # a token's, other than the config says
    engram: bool = True
    index_pairs: str = "halves"  # rotary pairing of the indexer: halves | adjacent


@dataclass
class Watched:
    """What a training step needs beside the logits."""

    index_rows: int = 0  # the first rows of the batch, whose index scores learn
    index_losses: list[torch.Tensor] = field(default_factory=list)
    loads: dict[int, torch.Tensor] = field(default_factory=dict)  # [E] shares of the chosen places, by layer


class Norm(nn.Module):
    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


class LayerNorm(nn.Module):
    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight, self.bias, self.eps = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width)), eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


def linear(into: int, out: int, gain: float = 1.0) -> nn.Linear:
    layer = nn.Linear(into, out, bias=False)
    nn.init.normal_(layer.weight, std=gain * into**-0.5)
    return layer


def rotate_pairs(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """x [B, T, h, P], cos and sin [T, 1, P / 2]: adjacent channels are turned together."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)


def rotate_halves(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Channel i is turned with i + P / 2."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def best(scores: torch.Tensor, k: int) -> torch.Tensor:
    """Indices of the k greatest of the last axis, of equal ones the first; greatest first."""
    return scores.sort(dim=-1, descending=True, stable=True).indices[..., :k]


class Indexer(nn.Module):
    """Scores of the positions so far; each query attends to the best of them."""

    def __init__(self, config: dict):
        super().__init__()
        self.heads, self.width = config["index_n_heads"], config["index_head_dim"]
        self.rotary, self.k = config["qk_rope_head_dim"], config["index_topk"]
        self.wq_b = linear(config["q_lora_rank"], self.heads * self.width)
        self.wk = linear(config["hidden_size"], self.width)
        self.weights_proj = linear(config["hidden_size"], self.heads)
        self.k_norm = LayerNorm(self.width, INDEX_EPS)

    def forward(self, x, cq, cos, sin, pairs: str = "halves") -> torch.Tensor:
        """[B, T, S], -inf behind the query."""
        turn = rotate_halves if pairs == "halves" else rotate_pairs
        lead = lambda y: torch.cat([turn(y[..., : self.rotary], cos, sin), y[..., self.rotary :]], -1)  # noqa: E731
        q = lead(self.wq_b(cq).unflatten(-1, (self.heads, self.width))).transpose(1, 2)
        k = lead(self.k_norm(self.wk(x))[:, :, None])[:, :, 0]
        weights = self.weights_proj(x) * (self.heads * self.width) ** -0.5
        dots = (q @ k[:, None].transpose(-1, -2)).relu()
        scores = (weights.transpose(1, 2)[..., None] * dots).sum(1)
        return scores.masked_fill(~causal(x), float("-inf"))

    def chosen(self, scores: torch.Tensor, how: str) -> torch.Tensor:
        """[B, T, S]: which positions each query sees."""
        if how == "random":
            generator = torch.Generator().manual_seed(1)
            scores = torch.rand(scores.shape, generator=generator).masked_fill(scores.isinf(), float("-inf"))
        if self.training:  # equal scores are too rare to matter here, and sorting whole rows is slow
            least = scores.topk(min(self.k, scores.shape[-1]), -1).values[..., -1:]
            return (scores >= least) & ~scores.isinf()
        return torch.zeros_like(scores, dtype=torch.bool).scatter(-1, best(scores, self.k), True) & ~scores.isinf()


def causal(x: torch.Tensor) -> torch.Tensor:
    length = x.shape[1]
    return torch.ones(length, length, dtype=torch.bool).tril()


class Attention(nn.Module):
    """Multi-head latent attention with an indexer."""

    def __init__(self, config: dict):
        super().__init__()
        width, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.nope, self.rotary, self.value = (config[f"{name}_head_dim"] for name in ("qk_nope", "qk_rope", "v"))
        self.rank = config["kv_lora_rank"]
        whole = self.nope + self.rotary
        self.scale = whole**-0.5
        self.q_a_proj = linear(width, config["q_lora_rank"])
        self.q_a_layernorm = Norm(config["q_lora_rank"], LATENT_EPS)
        self.q_b_proj = linear(config["q_lora_rank"], self.heads * whole)
        self.kv_a_proj_with_mqa = linear(width, self.rank + self.rotary)
        self.kv_a_layernorm = Norm(self.rank, LATENT_EPS)
        self.kv_b_proj = linear(self.rank, self.heads * (self.nope + self.value))
        self.o_proj = linear(self.heads * self.value, width, (2 * config["num_hidden_layers"]) ** -0.5)
        self.indexer = Indexer(config)

    def forward(self, x, cos, sin, switches: Switches, watched: Watched) -> torch.Tensor:
        cq = self.q_a_layernorm(self.q_a_proj(x))
        q_n, q_r = self.q_b_proj(cq).unflatten(-1, (self.heads, -1)).split([self.nope, self.rotary], -1)
        latent, k_r = self.kv_a_proj_with_mqa(x).split([self.rank, self.rotary], -1)
        kv = self.kv_b_proj(self.kv_a_layernorm(latent)).unflatten(-1, (self.heads, -1))
        k_n, v = kv.split([self.nope, self.value], -1)
        k_r = rotate_pairs(k_r[:, :, None], cos, sin).expand(-1, -1, self.heads, -1)
        q = torch.cat([q_n, rotate_pairs(q_r, cos, sin)], -1).transpose(1, 2)
        k = torch.cat([k_n, k_r], -1).transpose(1, 2)
        v = F.pad(v, (0, q.shape[-1] - self.value)).transpose(1, 2)  # all of one width: the fast kernel wants it
        sees = None
        if switches.select != "all":
            with torch.no_grad():
                scores = self.indexer(x, cq, cos, sin, switches.index_pairs)
                sees = self.indexer.chosen(scores, switches.select)[:, None]
        if watched.index_rows:
            watched.index_losses.append(self.index_loss(x, cq, q, k, cos, sin, sees, watched.index_rows))
        o = F.scaled_dot_product_attention(q, k, v, attn_mask=sees, is_causal=sees is None, scale=self.scale)
        return self.o_proj(o[..., : self.value].transpose(1, 2).flatten(2))

    def index_loss(self, x, cq, q, k, cos, sin, sees, rows: int) -> torch.Tensor:
        """KL of attention, summed over heads, to the softmax of the index scores, over what is seen. DeepSeek-V3.2, eq. 3
        and 4. Only the indexer learns from it."""
        x, cq, q, k = (y[:rows].detach() for y in (x, cq, q, k))
        hidden = ~causal(x) if sees is None else ~sees[:rows, 0]
        with torch.no_grad():
            a = (q @ k.transpose(-1, -2) * self.scale).masked_fill(hidden if sees is None else hidden[:, None], float("-inf"))
            target = a.softmax(-1).mean(1)
        guess = self.indexer(x, cq, cos, sin).masked_fill(hidden, float("-inf")).log_softmax(-1)
        terms = target * (target.clamp(min=1e-12).log() - guess.masked_fill(hidden, 0))
        return terms.sum(-1).mean()


class FeedForward(nn.Module):
    def __init__(self, config: dict, width: int):
        super().__init__()
        d = config["hidden_size"]
        self.gate_proj, self.up_proj = linear(d, width), linear(d, width)
        self.down_proj = linear(width, d, (2 * config["num_hidden_layers"]) ** -0.5)

    def forward(self, x, *_) -> torch.Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Router(nn.Module):
    """Sigmoid scores; a bias that balances the load takes part in choosing, not in weighing. DeepSeek-V3, sec. 2.1.2."""

    def __init__(self, config: dict):
        super().__init__()
        self.weight = linear(config["hidden_size"], config["n_routed_experts"]).weight
        self.register_buffer("e_score_correction_bias", torch.zeros(config["n_routed_experts"]))
        self.k, self.factor = config["num_experts_per_tok"], config["routed_scaling_factor"]

    def forward(self, x: torch.Tensor, switches: Switches) -> tuple[torch.Tensor, torch.Tensor]:
        """Experts and their weights, [.., K]."""
        scores = (x @ self.weight.T).sigmoid()
        chosen = best((scores + self.e_score_correction_bias * switches.router_bias).detach(), switches.experts or self.k)
        weights = scores.gather(-1, chosen)
        return chosen, weights / (weights.sum(-1, keepdim=True) + 1e-20) * self.factor


class Mixture(nn.Module):
    def __init__(self, config: dict, layer: int):
        super().__init__()
        d, width, count = config["hidden_size"], config["moe_intermediate_size"], config["n_routed_experts"]
        self.layer = layer
        self.gate = Router(config)
        self.shared_experts = FeedForward(config, width * config["n_shared_experts"])
        self.gate_up = nn.Parameter(torch.randn(count, 2 * width, d) * d**-0.5)
        self.down = nn.Parameter(torch.randn(count, d, width) * (width * 2 * config["num_hidden_layers"]) ** -0.5)

    def forward(self, x: torch.Tensor, switches: Switches, watched: Watched) -> torch.Tensor:
        shape, x = x.shape, x.flatten(0, -2)
        chosen, weights = self.gate(x, switches)
        y = self.shared_experts(x)
        # the places [token, k] in the order of their experts
        order = chosen.flatten().argsort(stable=True)
        counts = torch.bincount(chosen.flatten(), minlength=len(self.down))
        watched.loads[self.layer] = counts / counts.sum()
        tokens = order // chosen.shape[-1]
        taken = x[tokens].split(counts.tolist())
        parts = []
        for expert, rows in enumerate(taken):
            gate, up = (rows @ self.gate_up[expert].T).chunk(2, -1)
            parts.append((F.silu(gate) * up) @ self.down[expert].T)
        added = torch.cat(parts) * weights.flatten()[order, None]
        return y.index_add(0, tokens, added).view(shape)


class Layer(nn.Module):
    def __init__(self, config: dict, layer: int):
        super().__init__()
        d, eps = config["hidden_size"], config["rms_norm_eps"]
        self.input_layernorm, self.post_attention_layernorm = Norm(d, eps), Norm(d, eps)
        self.self_attn = Attention(config)
        dense = layer < config["first_k_dense_replace"]
        self.mlp = FeedForward(config, config["intermediate_size"]) if dense else Mixture(config, layer)
        if layer in config["engram"]["layer_ids"]:
            self.engram = Engram(config, layer)

    def forward(self, x, ids, cos, sin, switches: Switches, watched: Watched) -> torch.Tensor:
        if hasattr(self, "engram") and switches.engram:
            x = x + self.engram(x, ids)
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, switches, watched)
        return x + self.mlp(self.post_attention_layernorm(x), switches, watched)


class Engram(nn.Module):
    """Rows of a hashed n-gram table, gated into the one residual stream. Engram, sec. 2; `engram.md`, the paper's form."""

    def __init__(self, config: dict, layer: int):
        super().__init__()
        d, own = config["hidden_size"], config["engram"]
        assert config["hc_mult"] == 1
        self.orders, self.taps = own["max_ngram_size"], own["kernel_size"]
        self.multipliers, primes = [int(digits) for digits in own["multipliers"][layer]], torch.tensor(own["primes"][layer])
        flat = primes.flatten()
        self.register_buffer("primes", primes, persistent=False)
        self.register_buffer("offsets", (flat.cumsum(0) - flat).view(primes.shape), persistent=False)
        self.register_buffer("token_map", torch.zeros(config["vocab_size"], dtype=torch.int64))
        self.pad_id = own["pad_id"]
        width = own["n_embed_per_ngram"]
        self.multi_head_embedding = nn.ModuleDict(
            {"embedding": nn.Embedding(int(flat.sum()), width // own["n_head_per_ngram"])}
        )
        nn.init.normal_(self.multi_head_embedding["embedding"].weight, std=0.5)
        wide = (self.orders - 1) * width
        self.key_projs = nn.ModuleList([nn.Linear(wide, d)])
        self.value_proj = nn.Linear(wide, d)
        for layer_of in (self.key_projs[0], self.value_proj):
            nn.init.normal_(layer_of.weight, std=wide**-0.5)
            nn.init.zeros_(layer_of.bias)
        self.norm1, self.norm2 = nn.ModuleList([Norm(d, GATE_EPS)]), nn.ModuleList([Norm(d, GATE_EPS)])
        self.short_conv = nn.ModuleDict(
            {"norms": nn.ModuleList([Norm(d, CONV_EPS)]), "conv": nn.Conv1d(d, d, self.taps, groups=d, bias=False)}
        )
        nn.init.zeros_(self.short_conv["conv"].weight)

    def rows(self, ids: torch.Tensor) -> torch.Tensor:
        """[B, T, order, head]. Products are of 63 bits, and the multipliers leave no room to overflow."""
        compressed, pad = self.token_map[ids], self.token_map[self.pad_id]
        mix, rows = compressed * self.multipliers[0], []
        for back in range(1, self.orders):
            earlier = torch.cat([pad.expand(len(ids), back), compressed], 1)[:, : ids.shape[1]]
            mix = mix ^ (earlier * self.multipliers[back])
            rows.append(mix[..., None] % self.primes[back - 1] + self.offsets[back - 1])
        return torch.stack(rows, -2)

    def forward(self, x: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        e = self.multi_head_embedding["embedding"](self.rows(ids)).flatten(2)
        key, value = self.norm1[0](self.key_projs[0](e)), self.value_proj(e)
        z = (key * self.norm2[0](x)).sum(-1, keepdim=True) * x.shape[-1] ** -0.5
        u = (z.sign() * z.abs().clamp(min=LEAST).sqrt()).sigmoid() * value
        # causal and depthwise; tap i sees the position (taps - 1 - i) * orders back
        normed = F.pad(self.short_conv["norms"][0](u).transpose(1, 2), ((self.taps - 1) * self.orders, 0))
        weight = self.short_conv["conv"].weight
        return u + F.silu(F.conv1d(normed, weight, groups=x.shape[-1], dilation=self.orders)).transpose(1, 2)


class Draft(Layer):
    """The module that guesses the token after the next one. DeepSeek-V3, sec. 2.2."""

    def __init__(self, config: dict):
        super().__init__(config, config["num_hidden_layers"])
        d, eps = config["hidden_size"], config["rms_norm_eps"]
        self.enorm, self.hnorm = Norm(d, eps), Norm(d, eps)
        self.eh_proj = linear(2 * d, d)
        self.shared_head = nn.ModuleDict({"norm": Norm(d, eps)})


class TinySeek(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        d, v, self.layers = config["hidden_size"], config["vocab_size"], config["num_hidden_layers"]
        stack = [Layer(config, layer) for layer in range(self.layers)] + [Draft(config)]
        self.model = nn.ModuleDict(
            {"embed_tokens": nn.Embedding(v, d), "layers": nn.ModuleList(stack), "norm": Norm(d, config["rms_norm_eps"])}
        )
        self.lm_head = linear(d, v, 0.5)
        nn.init.normal_(self.model["embed_tokens"].weight, std=0.1)
        pairs = torch.arange(config["qk_rope_head_dim"] // 2, dtype=torch.float64)
        frequencies = config["rope_theta"] ** (-2 * pairs / config["qk_rope_head_dim"])
        angles = torch.arange(config["max_position_embeddings"], dtype=torch.float64)[:, None] * frequencies
        self.register_buffer("cos", angles.cos().float()[:, None], persistent=False)
        self.register_buffer("sin", angles.sin().float()[:, None], persistent=False)

    def hidden(self, ids: torch.Tensor, switches: Switches, watched: Watched) -> torch.Tensor:
        """ids [B, T] -> [B, T, D] behind the last norm."""
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        x = self.model["embed_tokens"](ids)
        for layer in self.model["layers"][: self.layers]:
            x = layer(x, ids, cos, sin, switches, watched)
        return self.model["norm"](x)

    def draft(self, hidden: torch.Tensor, next_ids: torch.Tensor, switches: Switches, watched: Watched) -> torch.Tensor:
        """From the hidden states at t and the ids at t + 1, [B, T, D] that the head turns into logits of t + 2."""
        cos, sin = self.cos[: next_ids.shape[1]], self.sin[: next_ids.shape[1]]
        layer = self.model["layers"][self.layers]
        embedded = layer.enorm(self.model["embed_tokens"](next_ids))
        x = layer.eh_proj(torch.cat([embedded, layer.hnorm(hidden)], -1))
        return layer.shared_head["norm"](layer(x, next_ids, cos, sin, switches, watched))

    def forward(self, ids: torch.Tensor, switches: Switches | None = None) -> torch.Tensor:
        """ids [B, T] -> logits [B, T, v]."""
        return self.lm_head(self.hidden(ids, switches or Switches(), Watched()))
