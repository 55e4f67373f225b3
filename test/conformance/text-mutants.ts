/**
 * Mistakes planted in the texts of the dense family, one a mutant, each such as a person may write it: the comparison with
 * the recording must see every one. Most are right by their types, so nothing else would.
 */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface TextMutant {
  readonly what: string;
  /** The recorded case that it is seen in. */
  readonly seenIn: string;
  readonly edits: readonly Edit[];
}

export const edit = (file: string, from: string, to: string): Edit => ({ file, from, to });
const attention = (from: string, to: string): Edit => edit("std/attention.ds", from, to);
export const mutant = (what: string, seenIn: string, ...edits: readonly Edit[]): TextMutant => ({
  what,
  seenIn,
  edits,
});

export const textMutants: readonly TextMutant[] = [
  mutant(
    "rotary pairs are neighbours",
    "llama-gqa",
    attention("import rope_halves from", "import rope_pairs from"),
    attention("state key   : [S, G, (2, K / 2)]", "state key   : [S, G, (K / 2, 2)]"),
    attention("qr[t,g,m]       := rope_halves(", "qr[t,g,m]       := rope_pairs("),
    attention("key[pos[t],g]   <- rope_halves(", "key[pos[t],g]   <- rope_pairs("),
  ),
  mutant(
    "query heads share key heads in turn, not in blocks",
    "llama-gqa",
    attention("linear(O: (G, M, K), bias: bias)", "linear(O: (M, G, K), bias: bias)"),
    attention("qn[t,g,m] := q[t,(g,m,_)]", "qn[t,g,m] := q[t,(m,g,_)]"),
    attention("q_norm(q[t,(g,m,_)])", "q_norm(q[t,(m,g,_)])"),
    attention("o[t,(g,m,c)] :=", "o[t,(m,g,c)] :="),
  ),
  mutant("scores are not scaled", "llama-gqa", attention(" * K^-0.5", "")),
  mutant("scores are scaled by 1 / K", "llama-gqa", attention("K^-0.5", "K^-1")),
  mutant(
    "a token does not see itself",
    "llama-gqa",
    attention("s <= pos[t]]", "s <= pos[t] and (s < pos[t] or s == 0)]"),
  ),
  mutant(
    "a token does not see the first",
    "llama-gqa",
    attention("s <= pos[t]]", "s <= pos[t] and (s > 0 or pos[t] == 0)]"),
  ),
  mutant(
    "queries are turned by a position too many",
    "llama-gqa",
    attention("rope_halves(qn[t,g,m], pos[t],", "rope_halves(qn[t,g,m], pos[t] + 1,"),
  ),
  mutant(
    "keys are turned by their place in the call",
    "llama-gqa",
    attention("rope_halves(kn[t,g], pos[t],", "rope_halves(kn[t,g], t,"),
  ),
  mutant("keys are not turned", "llama-gqa", attention("rope_halves(kn[t,g], pos[t], freq, gain)", "kn[t,g]")),
  mutant("probabilities are not normalised", "llama-gqa", attention("softmax(a[t,g,m])", "exp(a[t,g,m])")),
  mutant("eps is left out of the norms", "llama-gqa", edit("std/norm.ds", "/ D + eps)", "/ D + 0 * eps)")),
  mutant("eps is ten times too large", "llama-gqa", edit("std/norm.ds", "/ D + eps)", "/ D + 10 * eps)")),
  mutant("the mean of squares divides by one more", "llama-gqa", edit("std/norm.ds", "/ D + eps)", "/ (D + 1) + eps)")),
  mutant(
    "norms have no gain",
    "llama-gqa",
    edit("std/norm.ds", "y := g * unit_rms(x, eps)", "y := g / g * unit_rms(x, eps)"),
  ),
  mutant(
    "gate and up are exchanged",
    "llama-gqa",
    edit("std/linear.ds", "silu(gate[f]) * up[f]", "silu(up[f]) * gate[f]"),
  ),
  mutant(
    "the residual goes around the attention alone",
    "llama-gqa",
    edit("std/decoder.ds", "y[t] := a[t] + mlp(norm2(a[t]))", "y[t] := a[t] - x[t] + mlp(norm2(a[t]))"),
  ),
  mutant(
    "the second norm is that of the layer's input",
    "llama-gqa",
    edit("std/decoder.ds", "mlp(norm2(a[t]))", "mlp(norm2(x[t]))"),
  ),
  mutant(
    "every layer begins with the embedding",
    "llama-gqa",
    edit("models/deepseek-llm.ds", "layer[l](h[l], pos)", "layer[l](h[l] + h[0] - h[0] * 0.999999, pos)"),
  ),
  mutant(
    "the last norm is left out",
    "llama-gqa",
    edit("models/deepseek-llm.ds", ":= norm(h[L,t])", ":= 0 * norm(h[L,t]) + h[L,t]"),
  ),
  mutant(
    "frequencies fall twice as slowly",
    "llama-gqa",
    edit("std/rope.ds", "theta^(-2 * i / P)", "theta^(-1 * i / P)"),
  ),
  mutant(
    "heads are turned backwards",
    "llama-gqa",
    edit(
      "std/rope.ds",
      "x[(1,j)] * c[j] + x[(0,j)] * s[j]\n}\n\n/// Inverse",
      "x[(1,j)] * c[j] - x[(0,j)] * s[j]\n}\n\n/// Inverse",
    ),
  ),
  mutant(
    "queries and keys have no bias",
    "qwen2-untied",
    attention("linear(O: (G, M, K), bias: bias)", "linear(O: (G, M, K))"),
  ),
  mutant(
    "values have no bias",
    "qwen2-tied",
    attention("v_proj : linear(O: (G, K), bias: bias)", "v_proj : linear(O: (G, K))"),
  ),
  mutant("the output has no bias", "llama-biases", attention("linear(O: D, bias: out_bias)", "linear(O: D)")),
  mutant(
    "the norm of keys has that of queries",
    "qwen3",
    attention('rms_norm(..) at "k_norm"', 'rms_norm(..) at "q_norm"'),
  ),
  mutant(
    "queries are not normalised",
    "qwen3",
    attention("qn[t,g,m] := q_norm(q[t,(g,m,_)])", "qn[t,g,m] := q[t,(g,m,_)]"),
  ),
  mutant(
    "YaRN's factor is on the queries alone",
    "llama-yarn",
    attention("rope_halves(kn[t,g], pos[t], freq, gain)", "rope_halves(kn[t,g], pos[t], freq, 1)"),
  ),
  mutant(
    "YaRN's ramp ends in whole channels always",
    "llama-yarn-factor-parameters",
    edit("std/rope.ds", "truncate ? ceil(tail) : tail", "ceil(tail)"),
  ),
  mutant(
    "YaRN's fast channels are slowed, slow ones kept",
    "llama-yarn",
    edit(
      "std/rope.ds",
      "base[i] / factor * ramp[i] + base[i] * (1 - ramp[i])",
      "base[i] / factor * (1 - ramp[i]) + base[i] * ramp[i]",
    ),
  ),
  mutant(
    "YaRN's mscale counts once",
    "llama-yarn-mscale",
    edit(
      "models/deepseek-llm.ds",
      "yarn_gain(stretch, mscale) / yarn_gain(stretch, mscale_all)",
      "yarn_gain(stretch, mscale)",
    ),
  ),
  mutant(
    "linear scaling makes positions longer",
    "llama-linear-type",
    edit("std/rope.ds", "rope_freq(P, theta) / factor", "rope_freq(P, theta) * factor"),
  ),
  mutant(
    "Llama 3's long wavelengths are kept",
    "llama-llama3",
    edit("std/rope.ds", "(1 - blend[i]) * base[i] / factor", "(1 - blend[i]) * base[i]"),
  ),
];

/** Texts that say the same in another way: the comparison must see no difference. */
export const equalTexts: readonly TextMutant[] = [
  mutant(
    "values are kept as one row a token",
    "llama-gqa",
    attention("state value : [S, G, K]", "state value : [S, G * K]"),
    attention("value[pos[t],g] <- v[t,(g,_)]", "value[pos[t]] <- v[t]"),
    attention("o[t,(g,m,c)] := p[t,g,m,s] * value[s,g,c]", "o[t,(g,m,c in K)] := p[t,g,m,s] * value[s,g * K + c]"),
  ),
  mutant(
    "values are kept in halves",
    "llama-gqa",
    attention("state value : [S, G, K]", "state value : [S, G, (2, K / 2)]"),
    attention(
      "o[t,(g,m,c)] := p[t,g,m,s] * value[s,g,c]",
      "half[t,g,m,u,c] := p[t,g,m,s] * value[s,g,(u,c)]\n  o : [T, (G, M, K)] := half",
    ),
  ),
  mutant(
    "scores are scaled before they are summed",
    "llama-gqa",
    attention("qr[t,g,m,c] * key[s,g,c] * K^-0.5", "(qr[t,g,m,c] * K^-0.5) * key[s,g,c]"),
  ),
  mutant(
    "probabilities are normalised last",
    "llama-gqa",
    attention(
      "p[t,g,m]     := softmax(a[t,g,m])",
      "e[t,g,m,s]   := exp(a[t,g,m,s] - max[r](a[t,g,m,r]))\n  z[t,g,m]     := sum[s](e[t,g,m,s])",
    ),
    attention(
      "o[t,(g,m,c)] := p[t,g,m,s] * value[s,g,c]",
      "o[t,(g,m,c)] := sum[s](e[t,g,m,s] * value[s,g,c]) / z[t,g,m]",
    ),
  ),
];
