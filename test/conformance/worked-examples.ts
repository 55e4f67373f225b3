/** Fragments around blocks of the library, one for each worked example, with what they must give. */
import type { Fragment, Nested } from "./run-fragment.ts";

/** worked-examples.json of the inputs: a mechanism by name, each a record of numbers and lists. */
export type Examples = Readonly<Record<string, Readonly<Record<string, Nested>>>>;

export interface Example extends Fragment {
  readonly name: string;
  /** By result, or by definition that is kept. nan: not said. */
  readonly expected: Readonly<Record<string, Nested>>;
  /** Codes and sets, and numbers that are exact; others have ten digits. */
  readonly exact?: boolean;
}

const identity = (n: number): Nested =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => Number(i === j)));
const list = (value: Nested | undefined): readonly Nested[] => {
  if (value === undefined || typeof value === "number") throw new Error("a list is expected");
  return value;
};
const number = (value: Nested | undefined): number => {
  if (typeof value !== "number") throw new Error("a number is expected");
  return value;
};
const transposed = (rows: readonly Nested[]): Nested =>
  list(rows[0]).map((_, j) => rows.map((row) => list(row)[j] ?? Number.NaN));
/** Weights of chosen experts at their places, 0 elsewhere. */
const scattered = (count: number, at: Nested | undefined, weights: Nested | undefined): Nested => {
  const places = list(at);
  return Array.from({ length: count }, (_, e) => (places.includes(e) ? (list(weights)[places.indexOf(e)] ?? 0) : 0));
};

interface RouterExample {
  readonly name: string;
  /** Block value, without the parameters that all routers have. */
  readonly block: string;
  readonly given: Readonly<Record<string, Nested>>;
  readonly tensors?: Readonly<Record<string, Nested>>;
  readonly experts?: Nested | undefined;
  readonly weights?: Nested | undefined;
  /** A router that is given the token's id. */
  readonly byId?: boolean;
}

/** The gate is the identity, so that a token is its logits. */
function router({ name, block, given, tensors = {}, experts, weights, byId = false }: RouterExample): Example {
  const logits = list(given["logits"]);
  const count = logits.length;
  const taken = block.slice(0, block.indexOf("("));
  return {
    name,
    text: `import ${taken} from "std/moe"
model example_of {
  V := 1
  routed_scaling_factor := ${number(given["scale"])}
  part gate : ${block} at "gate"
  entry example(x: [${count}]${byId ? ", id: in 1" : ""}) -> y: [${count}] {
    w := gate(x${byId ? ", id" : ""})
    y[e] := w[e] else 0
  }
}
`,
    tensors: { "gate.weight": identity(count), ...tensors },
    inputs: { x: logits, id: 0 },
    expected: { y: scattered(count, experts ?? given["experts"], weights ?? given["weights"]) },
  };
}

function routers(all: Examples): readonly Example[] {
  const { router_A: a = {}, router_B: b = {}, router_C: c = {}, router_D: d = {}, router_E_hash: e = {} } = all;
  const greedy = (norm: boolean): string => `greedy_router(E: 8, K: ${number(a["k"])}, norm_topk_prob: ${norm}, ..)`;
  const grouped = (name: string, x: Readonly<Record<string, Nested>>): string =>
    `${name}(E: 16, K: ${number(x["k"])}, G: ${number(x["groups"])}, groups: ${number(x["topk_group"])}, ..)`;
  return [
    router({ name: "router_A", block: greedy(false), given: a }),
    router({
      name: "router_A, renormalised",
      block: greedy(true),
      given: a,
      weights: a["weights_norm_topk_prob_true_remote_code"],
    }),
    router({ name: "router_B", block: grouped("group_max_router", b), given: b }),
    router({
      name: "router_C",
      block: grouped("noaux_router", c),
      given: c,
      tensors: { "gate.e_score_correction_bias": c["bias"] ?? [] },
    }),
    router({
      name: "router_D",
      block: `sqrt_router(E: 6, K: ${number(d["k"])}, ..)`,
      given: d,
      tensors: { "gate.bias": d["bias"] ?? [] },
    }),
    router({
      name: "router_E_hash",
      block: "hash_router(E: 6, K: 3, ..)",
      given: e,
      byId: true,
      tensors: { "gate.tid2eid": [e["tid2eid_row"] ?? []] },
      experts: e["tid2eid_row"],
    }),
  ];
}

function attention({ mla = {}, gqa = {} }: Examples): readonly Example[] {
  const w = mla["weights"] as unknown as Readonly<Record<string, Nested>>;
  const rows = (key: "q" | "k" | "v"): Nested => {
    const tokens = list(gqa[key]).map((heads) => list(heads).flatMap(list));
    const none = (tokens[0] ?? []).map(() => 0);
    return transposed([...tokens, ...Array.from({ length: 16 - tokens.length }, () => none)]);
  };
  return [
    {
      name: "mla",
      text: `import mla from "std/mla"
import yarn_freq, yarn_gain from "std/rope"
model example_of {
  runtime T : dim in 1..8
  runtime S : memory in 1..8
  freq := yarn_freq(2, 10000, 40, 4096, 32, 1)
  gain := yarn_gain(40, 1) / yarn_gain(40, 1)
  softmax_scale := 4^-0.5 * yarn_gain(40, 1)^2
  part attn : mla(H: 2, R: 3, N: 2, P: 2, VH: 2, RQ: 3, ..) at "attn"
  entry example(x: [T, 4], pos: [T] in S) -> y: [T, 4] {
    y := attn(x, pos)
  }
}
`,
      tensors: Object.fromEntries(Object.entries(w).map(([name, value]) => [`attn.${name}.weight`, value])),
      inputs: { x: mla["x"] ?? [] },
      tokens: 3,
      keep: ["attn.c_n", "attn.p"],
      expected: { y: mla["y_all_tokens"] ?? [], "attn.c_n": mla["latent_c"] ?? [] },
    },
    {
      name: "gqa",
      // a token is one of the unit vectors, so that a column of a projection is its q, k or v; no frequency: no rotation
      text: `import gqa from "std/attention"
model example_of {
  runtime T : dim in 1..8
  runtime S : memory in 1..8
  freq[i in 2] := 0
  part attn : gqa(H: 4, G: 2, K: 4, freq: freq) at "attn"
  entry example(x: [T, 16], pos: [T] in S) -> y: [T, 16] {
    y := attn(x, pos)
  }
}
`,
      tensors: {
        "attn.q_proj.weight": rows("q"),
        "attn.k_proj.weight": rows("k"),
        "attn.v_proj.weight": rows("v"),
        "attn.o_proj.weight": identity(16),
      },
      inputs: { x: list(identity(16)).slice(0, list(gqa["q"]).length) },
      tokens: list(gqa["q"]).length,
      expected: { y: gqa["out"] ?? [] },
    },
  ];
}

function smallBlocks({
  norms = {},
  swiglu = {},
  mtp_input: mtp = {},
  sink_softmax: sink = {},
}: Examples): readonly Example[] {
  const gated = (limit: string): string => `import swiglu from "std/linear"
model example_of {
  part ffn : swiglu(F: 3, limit: ${limit}) at "ffn"
  entry example(x: [3]) -> y: [3] {
    y := ffn(x)
  }
}
`;
  const column = (values: Nested | undefined): Nested => list(values).map((value) => [value, 0, 0]);
  const gating = {
    tensors: {
      "ffn.gate_proj.weight": column(swiglu["gate"]),
      "ffn.up_proj.weight": column(swiglu["up"]),
      "ffn.down_proj.weight": identity(3),
    },
    inputs: { x: [1, 0, 0] },
  };
  return [
    {
      name: "norms",
      text: `import rms_norm, layer_norm from "std/norm"
model example_of {
  part a : rms_norm(eps: 1e-6)   at "a"
  part b : layer_norm(eps: 1e-6) at "b"
  entry example(x: [4]) -> (rms: [4], layer: [4]) {
    rms   := a(x)
    layer := b(x)
  }
}
`,
      tensors: { "a.weight": norms["w"] ?? [], "b.weight": norms["w"] ?? [], "b.bias": norms["layernorm_bias"] ?? [] },
      inputs: { x: norms["x"] ?? [] },
      expected: { rms: norms["rms"] ?? [], layer: norms["layernorm"] ?? [] },
    },
    { name: "swiglu", text: gated("inf"), ...gating, expected: { y: swiglu["plain"] ?? [] } },
    { name: "swiglu, limited", text: gated("10"), ...gating, expected: { y: swiglu["clamped_limit_10"] ?? [] } },
    {
      name: "mtp_input",
      // a layer that adds nothing: what is normed at its end is the input itself
      text: `import mtp from "std/mtp"
block nothing(x: [T, D], pos: [T] in S) -> y: [T, D] {
  y := 0 * x
}
block zero(x: [D]) -> y: [D] {
  y := 0 * x
}
model example_of {
  runtime T : dim in 1..8
  runtime S : memory in 1..8
  eps := 1e-6
  part draft : mtp(attention: nothing(), ffn: zero(), ..) at "draft"
  entry example(hidden: [T, 2], next: [T, 2], pos: [T] in S) -> y: [T, 2] {
    y := draft(hidden, next, pos)
  }
}
`,
      tensors: {
        "draft.enorm.weight": mtp["enorm"] ?? [],
        "draft.hnorm.weight": mtp["hnorm"] ?? [],
        "draft.shared_head.norm.weight": [1, 1],
        "draft.input_layernorm.weight": [1, 1],
        "draft.post_attention_layernorm.weight": [1, 1],
        "draft.eh_proj.weight": mtp["Weh"] ?? [],
      },
      inputs: { hidden: [mtp["H"] ?? []], next: [mtp["embed"] ?? []] },
      keep: ["draft.u"],
      expected: { "draft.u": mtp["u"] ?? [] },
    },
    {
      name: "sink_softmax",
      text: `import softmax_sink from "std/softmax"
model example_of {
  entry example(x: [3]) -> p: [3] {
    p := softmax_sink(x, ${number(sink["sink"])})
  }
}
`,
      inputs: { x: sink["scores"] ?? [] },
      expected: { p: sink["p"] ?? [] },
    },
  ];
}

function rotations({
  rope_pairings: rope = {},
  yarn_deepseek: yarn = {},
  yarn_tiny: tiny = {},
}: Examples): readonly Example[] {
  return [
    {
      name: "rope_pairings",
      text: `import rope_halves, rope_pairs, unrope_pairs, rope_freq from "std/rope"
model example_of {
  f    := rope_freq(8, 10000)
  f4   := rope_freq(4, 10000)
  entry example(x: [8]) -> (halves: [8], pairs: [8], inverse: [8], leading: [8], trailing: [8]) {
    h : [(2, 4)] := x
    p : [(4, 2)] := x
    a : [8] := rope_halves(h, 3, f)
    b : [8] := rope_pairs(p, 3, f)
    c : [8] := unrope_pairs(p, 3, f)
    s : [((2, 2) | 4)] := x
    r | n := s
    halves   := a
    pairs    := b
    inverse  := c
    leading  := (rope_halves(r, 3, f4) | n)
    e : [(4 | (2, 2))] := x
    m | q := e
    trailing := (m | rope_pairs(q, 3, f4))
  }
}
`,
      inputs: { x: rope["x"] ?? [] },
      expected: {
        halves: rope["half_split"] ?? [],
        pairs: rope["adjacent"] ?? [],
        inverse: rope["adjacent_inverse"] ?? [],
        leading: rope["leading_slice_4_half_split"] ?? [],
        trailing: rope["trailing_slice_4_adjacent"] ?? [],
      },
    },
    {
      name: "yarn",
      text: `import yarn_freq, yarn_gain, rope_freq from "std/rope"
model example_of {
  entry example(x: real) -> (deepseek: [32], tiny: [4], plain: [4], gains: [3]) {
    deepseek := yarn_freq(64, 10000, 40, 4096, 32, 1) + 0 * x
    tiny     := yarn_freq(8, 10000, 4, 64, 32, 1) + 0 * x
    plain    := rope_freq(8, 10000) + 0 * x
    gains[0] := yarn_gain(40, 1) + 0 * x
    gains[1] := yarn_gain(40, 0.707) + 0 * x
    gains[2] := 192^-0.5 * yarn_gain(40, 1)^2 + 0 * x
  }
}
`,
      inputs: { x: 0 },
      expected: {
        deepseek: yarn["inv_freq"] ?? [],
        tiny: tiny["inv_freq"] ?? [],
        plain: tiny["inv_freq_unscaled"] ?? [],
        gains: [yarn["m_1p0"] ?? 0, yarn["m_0p707"] ?? 0, yarn["softmax_scale_192_m1p0"] ?? 0],
      },
    },
  ];
}

function selection({ indexer = {}, hadamard_8: hadamard = {} }: Examples, dsa: string): readonly Example[] {
  const tokens = list(indexer["q"]).length;
  const wide = 4 * 8;
  // the example gives keys as they are after the norm: the block without it
  const normed = "k_norm(w_k[_,d] * x[t,d])";
  if (!dsa.includes(normed)) throw new Error(`std/dsa has no ${normed}`);
  const library = new Map([["std/dsa.ds", dsa.replace(normed, "w_k[_,d] * x[t,d]")]]);
  const text = (exact: boolean): string => `import lightning_indexer from "std/dsa"
import rope_freq from "std/rope"
model example_of {
  runtime T : dim in 1..8
  runtime S : memory in 1..8
  freq := rope_freq(4, 10000)
  part indexer : lightning_indexer(H: 4, W: 8, P: 4, K: 3, exact: ${exact}, ..) at "i"
  entry example(x: [T, 12], cq: [T, ${wide}], pos: [T] in S) -> y: [T, S] {
    near     := indexer(x, cq, pos)
    y[t,s]   := s in near[t] ? 1 : 0
  }
}
`;
  const pick = (n: number, from: number, of: number): Nested =>
    Array.from({ length: n }, (_, i) => Array.from({ length: of }, (__, j) => Number(j === from + i)));
  const [k, w] = [list(indexer["k"]), list(indexer["w"])];
  const given = {
    library,
    tensors: {
      "i.wq_b.weight": identity(wide),
      "i.wk.weight": pick(8, 0, 12),
      "i.weights_proj.weight": pick(4, 8, 12),
    },
    inputs: {
      x: k.map((row, t) => [...list(row), ...list(w[t])]),
      cq: list(indexer["q"]).map((heads) => list(heads).flatMap(list)),
    },
    tokens,
    keep: ["indexer.score"],
  };
  const masks = (sets: Nested | undefined): Nested =>
    list(sets).map((set) => Array.from({ length: tokens }, (_, s) => Number(list(set).includes(s))));
  const scores = (rows: Nested | undefined): Nested =>
    list(rows).map((row) => list(row).map((score) => (score === null ? Number.NaN : score)));
  return [
    {
      name: "indexer, exact",
      text: text(true),
      ...given,
      expected: { y: masks(indexer["selected_plain"]), "indexer.score": scores(indexer["scores_plain"]) },
    },
    {
      name: "indexer, Hadamard and fp8",
      text: text(false),
      ...given,
      expected: { y: masks(indexer["selected_fp8"]), "indexer.score": scores(indexer["scores_fp8"]) },
    },
    {
      name: "hadamard_8",
      text: `import hadamard from "std/dsa"
model example_of {
  entry example(x: [8]) -> y: [8] {
    y := hadamard(x)
  }
}
`,
      inputs: { x: hadamard["x"] ?? [] },
      expected: { y: hadamard["y"] ?? [] },
    },
  ];
}

function hyperConnections({ mhc_v4: mhc = {} }: Examples): readonly Example[] {
  // one stream's first channel is 1, all else 0: what the projections give is their first column times this root
  const root = Math.sqrt(1 / 8 + 1e-6);
  const column = list(mhc["m"]).map((value) => [number(value) * root, ...Array.from({ length: 7 }, () => 0)]);
  return [
    {
      name: "mhc_v4",
      text: `import hyper_site, hyper_read, hyper_write from "std/hyper"
model example_of {
  part site_of : hyper_site(site: "a", steps: ${number(mhc["iters"])}, rms_eps: 1e-6, hc_eps: ${number(mhc["hc_eps"])}) at "s"
  entry example(one, x: [4, 2], out: [2]) -> (pre: [4], post: [4], comb: [4, 4], read: [2], next: [4, 2]) {
    pre, post, comb := site_of(one)
    read := hyper_read(x, pre)
    next := hyper_write(x, out, post, comb)
  }
}
`,
      tensors: { "s.hc_a_fn": column, "s.hc_a_base": mhc["base"] ?? [], "s.hc_a_scale": mhc["scale"] ?? [] },
      inputs: { one: [1, 0, 0, 0, 0, 0, 0, 0], x: mhc["X"] ?? [], out: mhc["sublayer_out"] ?? [] },
      expected: {
        pre: mhc["pre"] ?? [],
        post: mhc["post"] ?? [],
        comb: mhc["M"] ?? [],
        read: mhc["collapsed"] ?? [],
        next: mhc["X_next"] ?? [],
      },
    },
  ];
}

function memories({ ngram_hash_tiny: hash = {}, engram_gate: gate = {} }: Examples): readonly Example[] {
  const of = (value: Nested | undefined, key: string): Nested =>
    (value as unknown as Readonly<Record<string, Nested>> | undefined)?.[key] ?? [];
  const text = (n: number, heads: number, vocabulary: number, width: number): string => `import engram from "std/engram"
model example_of {
  config {
    multiplier : [N] i64 = $.multiplier
    prime      : [O, J] i64 = $.prime
    N          : dim = ${n}
    O          : dim = ${n - 1}
    J          : dim = ${heads}
    M          : dim = 1
    D          : dim = ${width}
  }
  runtime T : dim in 1..8
  runtime S : memory in 1..8
  eps      := ${2 ** -23}
  conv_eps := 1e-5
  rows     := sum[o,j](prime[o,j])
  part memory_of : engram(N: N, J: J, O: O, W: 1, C: ${vocabulary}, ROWS: rows, KW: 1, pad: 2, ..) at "e"
  entry example(x: [T, M, D], ids: [T] in ${vocabulary}, pos: [T] in S) -> y: [T, M, D] {
    y := memory_of(x, ids, pos)
  }
}
`;
  const zeros = (rows: number, columns: number): Nested =>
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => 0));
  const before = list(hash["layer1_rows_before_offset"]);
  const offsets = list(hash["layer1_head_offsets"]);
  const ids = list(hash["compressed_ids"]);
  const width = list(gate["k"]).length;
  const common = { "e.short_conv.norms.0.weight": [1, 1, 1, 1].slice(0, width) };
  return [
    {
      name: "ngram_hash_tiny",
      text: text(3, 2, 40, 2),
      config: JSON.stringify({ multiplier: hash["layer1_multipliers"], prime: of(hash["primes"], "1") }),
      tensors: {
        "e.token_map": Array.from({ length: 40 }, (_, i) => i),
        "e.multi_head_embedding.embedding.weight": zeros(240, 1),
        "e.key_projs.0.weight": zeros(2, 4),
        "e.key_projs.0.bias": [0, 0],
        "e.value_proj.weight": zeros(2, 4),
        "e.value_proj.bias": [0, 0],
        "e.norm1.0.weight": [1, 1],
        "e.norm2.0.weight": [1, 1],
        "e.short_conv.norms.0.weight": [1, 1],
        "e.short_conv.conv.weight": zeros(2, 1),
      },
      inputs: { x: ids.map(() => [0, 0]), ids },
      tokens: ids.length,
      keep: ["memory_of.rows.row"],
      exact: true,
      expected: {
        "memory_of.rows.row": before.map((row) => list(row).map((r, i) => number(r) + number(offsets[i]))),
      },
    },
    {
      name: "engram_gate",
      // a table of ones and a value of nothing: the key is a column of its projection
      text: text(2, 1, 4, width),
      config: JSON.stringify({ multiplier: [1, 1], prime: [[3]] }),
      tensors: {
        "e.token_map": [0, 1, 2, 3],
        "e.multi_head_embedding.embedding.weight": [[1], [1], [1]],
        "e.key_projs.0.weight": list(gate["k"]).map((k) => [k]),
        "e.key_projs.0.bias": list(gate["k"]).map(() => 0),
        "e.value_proj.weight": zeros(width, 1),
        "e.value_proj.bias": list(gate["k"]).map(() => 0),
        "e.norm1.0.weight": gate["norm1_w"] ?? [],
        "e.norm2.0.weight": gate["norm2_w"] ?? [],
        "e.short_conv.conv.weight": zeros(width, 1),
        ...common,
      },
      inputs: { x: [gate["x_stream"] ?? []], ids: [0] },
      keep: ["memory_of.gate"],
      expected: { "memory_of.gate": gate["gate_demo"] ?? [] },
    },
    {
      name: "engram_gate of production",
      text: text(2, 1, 4, width)
        .replaceAll("engram(", "fused_engram(")
        .replace("import engram", "import fused_engram")
        .replace("KW: 1", "WS: 1"),
      config: JSON.stringify({ multiplier: [1, 1], prime: [[3]] }),
      tensors: {
        "e.token_map": [0, 1, 2, 3],
        "e.embed.weight": [[1], [1], [1]],
        "e.embed.scale": [[1], [1], [1]],
        "e.wkv.weight": [...list(gate["k"]).map((k) => [k]), ...list(gate["k"]).map(() => [0])],
        "e.q_weight": [gate["norm2_w"] ?? []],
        "e.k_weight": [gate["norm1_w"] ?? []],
      },
      inputs: { x: [gate["x_stream"] ?? []], ids: [0] },
      keep: ["memory_of.gate"],
      expected: { "memory_of.gate": gate["gate_production"] ?? [] },
    },
    {
      name: "engram_gate of single numbers",
      text: `import sigmoid, signed_sqrt, copysign_sqrt from "std/scalar"
model example_of {
  entry example(z: [5]) -> (paper: [5], production: [5]) {
    paper[i]      := sigmoid(signed_sqrt(z[i]))
    production[i] := sigmoid(copysign_sqrt(z[i]))
  }
}
`,
      inputs: { z: list(gate["gates_of_z"]).map((pair) => list(pair)[0] ?? Number.NaN) },
      expected: {
        paper: list(gate["gates_of_z"]).map((pair) => list(pair)[1] ?? Number.NaN),
        // of 0 as of what is barely positive
        production: list(gate["gates_of_z"]).map((_, i, all) => list(all[Math.max(i, 1)])[1] ?? Number.NaN),
      },
    },
  ];
}

function roundings({ e4m3_rne: casts = {}, act_quant_one_group: group = {} }: Examples): readonly Example[] {
  const rows = Object.values(casts) as unknown as readonly { readonly x: number; readonly q: number }[];
  const dequantised = (key: string): Nested =>
    (group[key] as unknown as Readonly<Record<string, Nested>> | undefined)?.["dequant"] ?? [];
  return [
    {
      name: "e4m3_rne",
      text: `model example_of {
  entry example(x: [${rows.length}]) -> y: [${rows.length}] {
    y := x as e4m3
  }
}
`,
      inputs: { x: rows.map(({ x }) => x) },
      exact: true,
      expected: { y: rows.map(({ q }) => q) },
    },
    {
      name: "act_quant_one_group",
      text: `import fp8_round from "std/quantization"
model example_of {
  entry example(x: [8]) -> (power: [8], plain: [8]) {
    power := fp8_round(x, 8, true)
    plain := fp8_round(x, 8, false)
  }
}
`,
      inputs: { x: group["x"] ?? [] },
      expected: { power: dequantised("ue8m0"), plain: dequantised("fp32_scale") },
    },
  ];
}

/** `dsa` is the text of std/dsa. */
export const workedExamples = (all: Examples, dsa: string): readonly Example[] => [
  ...routers(all),
  ...attention(all),
  ...smallBlocks(all),
  ...rotations(all),
  ...selection(all, dsa),
  ...hyperConnections(all),
  ...memories(all),
  ...roundings(all),
];
