/** Models around single blocks of the library, small and in several sizes: what the suite elaborates and runs. */

export interface BlockText {
  /** `std/norm rms_norm`. */
  readonly subject: string;
  readonly sizes: Readonly<Record<string, number>>;
  /** Imports in front of the model. */
  readonly imports: readonly string[];
  /** Definitions and parts of the model. */
  readonly items: readonly string[];
  /** What the entry takes beside `x`, and its body; it gives `y`. */
  readonly takes?: string;
  readonly x?: string;
  readonly y: string;
  readonly body: readonly string[];
  /** Whether earlier calls count. */
  readonly remembers?: boolean;
  /** What `$` is. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Planned for many tokens: rows that ask for the same expert are computed together. */
  readonly many?: boolean;
  /** Without tokens. */
  readonly once?: boolean;
}

/** As text of a model whose sizes are numbers. */
export function modelText({ imports, items, takes, x = "[T, D]", y, body, sizes }: BlockText): string {
  const named = (line: string): string =>
    Object.entries(sizes).reduce((l, [n, v]) => l.replaceAll(new RegExp(`\\b${n}\\b(?!:)`, "g"), String(v)), line);
  return [
    ...imports.map((i) => `import ${i}`),
    "model case_of {",
    "  runtime T : dim in 1..64",
    "  runtime S : memory in 1..128",
    ...items.map((i) => `  ${named(i)}`),
    `  entry example(x: ${named(x)}${takes === undefined ? "" : `, ${named(takes)}`}) -> y: ${named(y)} {`,
    ...body.map((l) => `    ${named(l)}`),
    "  }",
    "}",
    "",
  ].join("\n");
}

const widths = [1, 4, 7, 8, 9, 12, 16, 20, 33];
const few = [9, 12];
const of = (
  sizes: readonly number[],
  make: (D: number) => Omit<BlockText, "sizes"> & { readonly sizes?: BlockText["sizes"] },
): readonly BlockText[] =>
  sizes.map((D) => {
    const made = make(D);
    return { ...made, sizes: { D, ...made.sizes } };
  });

/** A block from token to token, `part f : …`. */
const perToken = (
  subject: string,
  from: string,
  part: string,
  more: readonly string[] = [],
): Omit<BlockText, "sizes"> => ({
  subject,
  imports: [from],
  items: [...more, `part f : ${part} at "f"`],
  y: "[T, D]",
  body: ["y[t] := f(x[t])"],
});
const perScalar = (name: string, call = `${name}(x[t,d])`): readonly BlockText[] =>
  of(few, () => ({
    subject: `std/scalar ${name}`,
    imports: [`${name} from "std/scalar"`],
    items: [],
    y: "[T, D]",
    body: [`y[t,d] := ${call}`],
  }));

const rotations = (full: boolean): readonly BlockText[] =>
  (full ? [2, 4, 8, 10, 32] : [4, 10]).flatMap((D): readonly BlockText[] => {
    const turn = (fn: string, freq: string, from: string, layout: string): BlockText => ({
      subject: `std/rope ${fn}, ${from}`,
      sizes: { D, P: D / 2 },
      imports: [`${fn}, ${from} from "std/rope"`],
      items: [`freq := ${freq}`],
      takes: "pos: [T] in S",
      x: `[T, ${layout}]`,
      y: `[T, ${layout}]`,
      body: [`y[t] := ${fn}(x[t], pos[t], freq)`],
      remembers: true,
    });
    return [
      turn("rope_pairs", "rope_freq(D, 10000)", "rope_freq", "(P, 2)"),
      turn("rope_halves", "rope_freq(D, 10000)", "rope_freq", "(2, P)"),
      turn("rope_halves", "linear_freq(D, 10000, 4)", "linear_freq", "(2, P)"),
      turn("rope_halves", "llama3_freq(D, 500000, 8, 1, 4, 8192)", "llama3_freq", "(2, P)"),
      turn("rope_pairs", "yarn_freq(D, 10000, 40, 4096, 32, 1)", "yarn_freq", "(P, 2)"),
      turn("unrope_pairs", "rope_freq(D, 10000)", "rope_freq", "(P, 2)"),
    ];
  });

const attention = (full: boolean): readonly BlockText[] => {
  const gqa = (H: number, G: number, K: number, more: string): BlockText => ({
    subject: `std/attention gqa${more === "" ? "" : `, ${more}`}`,
    sizes: { D: 12, H, G, K },
    imports: ['gqa from "std/attention"', 'rope_freq from "std/rope"'],
    items: [
      "freq := rope_freq(K, 10000)",
      `part attn : gqa(H: ${H}, G: ${G}, K: ${K}, ${more === "" ? "" : `${more}, `}..) at "attn"`,
    ],
    takes: "pos: [T] in S",
    y: "[T, D]",
    body: ["y := attn(x, pos)"],
    remembers: true,
  });
  const mla = (more: string, extra: readonly string[] = [], imports: readonly string[] = []): BlockText => ({
    subject: `std/mla mla${more === "" ? "" : `, ${more}`}`,
    sizes: { D: 12 },
    imports: ['mla from "std/mla"', 'rope_freq from "std/rope"', ...imports],
    items: [
      "freq := rope_freq(4, 10000)",
      "gain := 1.0",
      "softmax_scale := 12^-0.5",
      ...extra,
      `part attn : mla(H: 2, R: 8, N: 8, P: 4, VH: 6, ${more}..) at "attn"`,
    ],
    takes: "pos: [T] in S",
    y: "[T, D]",
    body: ["y := attn(x, pos)"],
    remembers: true,
  });
  const shapes: readonly (readonly [number, number, number])[] = full
    ? [
        [1, 1, 2],
        [2, 1, 8],
        [4, 2, 8],
        [4, 4, 6],
        [8, 2, 16],
        [6, 2, 10],
      ]
    : [
        [4, 2, 8],
        [3, 1, 6],
      ];
  return [
    ...shapes.map(([H, G, K]) => gqa(H, G, K, "")),
    gqa(4, 2, 8, "bias: true, out_bias: true"),
    gqa(4, 2, 8, "qk_norm: true"),
    mla("RQ: null, "),
    mla("RQ: 5, "),
    mla("RQ: 8, fp8_latent: true, "),
    ...(["exact: true", "exact: false"] as const).map((how) => ({
      ...mla(
        "RQ: 8, select: chosen, ",
        [`block chosen = lightning_indexer(H: 2, W: 8, P: 4, K: 3, ${how}, ..)`],
        ['lightning_indexer from "std/dsa"'],
      ),
      subject: `std/dsa lightning_indexer, ${how}`,
    })),
  ];
};

const experts = (full: boolean): readonly BlockText[] => {
  const routers: readonly (readonly [name: string, text: string])[] = [
    ["greedy_router", "greedy_router(E: 8, K: 2, norm_topk_prob: true, ..)"],
    ["greedy_router", "greedy_router(E: 8, K: 2, norm_topk_prob: false, ..)"],
    ["group_max_router", "group_max_router(E: 8, K: 2, G: 4, groups: 2, ..)"],
    ["noaux_router", "noaux_router(E: 8, K: 3, G: 4, groups: 2, ..)"],
    ["noaux_router", "noaux_router(E: 8, K: 3, G: 2, groups: 1, norm_topk_prob: false, ..)"],
    ["sqrt_router", "sqrt_router(E: 8, K: 2, ..)"],
  ];
  return (full ? [4, 8, 9, 16] : [8]).flatMap((D) =>
    routers.map(
      ([name, text]): BlockText => ({
        subject: `std/moe moe, ${text}`,
        sizes: { D },
        imports: [`moe, ${name} from "std/moe"`],
        items: [
          "routed_scaling_factor := 2.5",
          `block router_of = ${text}`,
          'part f : moe(E: 8, F: 6, F_shared: 10, router: router_of, ..) at "f"',
        ],
        y: "[T, D]",
        body: ["y[t] := f(x[t])"],
        many: true,
      }),
    ),
  );
};

const routing: readonly BlockText[] = [
  ["greedy_router", "K: 3, norm_topk_prob: true, "],
  ["group_max_router", "K: 2, G: 4, groups: 2, "],
  ["noaux_router", "K: 3, G: 4, groups: 2, "],
  ["sqrt_router", "K: 8, "],
].map(
  ([name, more]): BlockText => ({
    subject: `std/moe ${name}`,
    sizes: { D: 9 },
    imports: [`${name} from "std/moe"`],
    items: [`part gate : ${name}(E: 8, ${more}routed_scaling_factor: 2.5) at "gate"`],
    y: "[T, 8]",
    body: ["w[t] := gate(x[t])", "y[t,e] := w[t,e] else 0"],
  }),
);
const others: readonly BlockText[] = [
  {
    subject: "std/moe hash_router",
    sizes: { D: 9 },
    imports: ['hash_router from "std/moe"'],
    items: ['part gate : hash_router(E: 8, K: 2, routed_scaling_factor: 1.5) at "gate"'],
    takes: "ids: [T] in 5",
    y: "[T, 8]",
    body: ["w[t] := gate(x[t], ids[t])", "y[t,e] := w[t,e] else 0"],
  },
  {
    subject: "std/mtp mtp",
    sizes: { D: 8 },
    imports: [
      'mtp from "std/mtp"',
      'gqa from "std/attention"',
      'swiglu from "std/linear"',
      'rope_freq from "std/rope"',
    ],
    items: [
      "eps := 1e-6",
      "freq := rope_freq(4, 10000)",
      "block attention = gqa(H: 4, G: 2, K: 4, ..)",
      "block ffn = swiglu(F: 12)",
      'part draft : mtp(..) at "draft"',
    ],
    takes: "next: [T, D], pos: [T] in S",
    y: "[T, D]",
    body: ["y := draft(x, next, pos)"],
    remembers: true,
  },
  ...[3, 8].map(
    (C): BlockText => ({
      subject: "std/vision conv",
      sizes: { C },
      imports: ['conv from "std/vision"'],
      items: ['part f : conv(O: 5, K: 3) at "f"'],
      x: "[C, 4, 6]",
      y: "[5, 4, 6]",
      body: ["y := f(x)"],
      once: true,
    }),
  ),
  {
    subject: "std/vision vit_layer",
    sizes: { D: 8 },
    imports: ['vit_layer from "std/vision"'],
    items: ['part f : vit_layer(H: 2, K: 4, F: 12, exact: true, eps: 1e-6) at "f"'],
    x: "[5, D]",
    y: "[5, D]",
    body: ["y := f(x)"],
    once: true,
  },
  {
    subject: "std/vision siglip",
    sizes: { D: 8 },
    imports: ['siglip from "std/vision"'],
    items: ['part f : siglip(D: 8, G: 2, Z: 3, L: 1, H: 2, K: 4, F: 12, exact: false, eps: 1e-6) at "f"'],
    x: "[3, 6, 7]",
    y: "[(2, 2), D]",
    body: ["y := f(x)"],
    once: true,
  },
  {
    subject: "std/vision double, pixel_shuffle",
    sizes: {},
    imports: ['double, pixel_shuffle from "std/vision"'],
    items: [],
    x: "[8, 3, 2]",
    y: "[2, (6, 2), (4, 2)]",
    body: ["u := double(x)", "v : [(2, 2, 2), 6, 4] := u", "y := pixel_shuffle(v)"],
    once: true,
  },
  {
    subject: "std/norm group_norm",
    sizes: {},
    imports: ['group_norm from "std/norm"'],
    items: ['part f : group_norm(G: 4) at "f"'],
    x: "[12, 3, 5]",
    y: "[12, 3, 5]",
    body: ["y := f(x)"],
    once: true,
  },
  {
    subject: "std/engram engram",
    sizes: { D: 4 },
    imports: ['engram from "std/engram"'],
    items: [
      "config { multiplier : [2] i64 = $.multiplier  prime : [1, 2] i64 = $.prime }",
      'part f : engram(N: 2, J: 2, W: 3, O: 1, C: 7, ROWS: 12, KW: 3, pad: 0, eps: 1e-6, conv_eps: 1e-6, ..) at "f"',
    ],
    config: { multiplier: [3, 5], prime: [[5, 7]] },
    x: "[T, 2, D]",
    takes: "ids: [T] in 9, pos: [T] in S",
    y: "[T, 2, D]",
    body: ["y := f(x, ids, pos)"],
    remembers: true,
  },
  {
    subject: "std/engram fused_engram",
    sizes: { D: 4 },
    imports: ['fused_engram from "std/engram"'],
    items: [
      "config { multiplier : [3] i64 = $.multiplier  prime : [2, 2] i64 = $.prime }",
      'part f : fused_engram(N: 3, J: 2, W: 6, WS: 3, O: 2, C: 7, ROWS: 36, pad: 0, ..) at "f"',
    ],
    config: {
      multiplier: ["303745106456585329", "19183720073544931", "142532633978758549"],
      prime: [
        [5, 7],
        [11, 13],
      ],
    },
    x: "[T, 2, D]",
    takes: "ids: [T] in 9, pos: [T] in S",
    y: "[T, 2, D]",
    body: ["y := f(x, ids, pos)"],
    remembers: true,
  },
];

/** Blocks of the library that a program can be made of, each with the sizes in which it is tried. */
export const blockTexts = (full: boolean): readonly BlockText[] => [
  ...perScalar("sigmoid"),
  ...perScalar("silu"),
  ...perScalar("relu"),
  ...perScalar("softplus"),
  ...perScalar("gelu"),
  ...perScalar("gelu_tanh"),
  ...perScalar("signed_sqrt"),
  ...perScalar("clamp", "clamp(x[t,d], -0.5, 0.25)"),
  ...of(full ? widths : few, () => ({
    subject: "std/norm unit_rms",
    imports: ['unit_rms from "std/norm"'],
    items: [],
    y: "[T, D]",
    body: ["y[t] := unit_rms(x[t], 1e-6)"],
  })),
  ...of(full ? widths : few, () => perToken("std/norm rms_norm", 'rms_norm from "std/norm"', "rms_norm(eps: 1e-5)")),
  ...of(full ? widths : few, () =>
    perToken("std/norm layer_norm", 'layer_norm from "std/norm"', "layer_norm(eps: 1e-5)"),
  ),
  ...of(full ? widths : few, () => ({
    subject: "std/softmax softmax",
    imports: ['softmax from "std/softmax"'],
    items: [],
    y: "[T, D]",
    body: ["y[t] := softmax(x[t])"],
  })),
  ...of(few, () => ({
    subject: "std/softmax softmax_sink",
    imports: ['softmax_sink from "std/softmax"'],
    items: [],
    y: "[T, D]",
    body: ["y[t] := softmax_sink(x[t], 0.3)"],
  })),
  ...of(full ? widths : few, () => ({
    ...perToken("std/linear linear", 'linear from "std/linear"', "linear(O: E, bias: true)"),
    sizes: { E: 10 },
    y: "[T, E]",
  })),
  ...of(full ? widths : few, () => perToken("std/linear swiglu", 'swiglu from "std/linear"', "swiglu(F: 11)")),
  ...of(full ? [32, 64, 96] : [64], () => ({
    ...perToken("std/linear int8_linear", 'int8_linear from "std/linear"', "int8_linear(O: E)"),
    sizes: { E: 11 },
    y: "[T, E]",
  })),
  ...of(few, () => perToken("std/linear swiglu, limit", 'swiglu from "std/linear"', "swiglu(F: 8, limit: 0.1)")),
  ...of([8, 16], () => ({
    subject: "std/quantization fp8_round",
    imports: ['fp8_round from "std/quantization"'],
    items: [],
    y: "[T, D]",
    body: ["y[t] := fp8_round(x[t], 4, true)"],
  })),
  ...of(full ? [1, 2, 8, 32] : [8], () => ({
    subject: "std/dsa hadamard",
    imports: ['hadamard from "std/dsa"'],
    items: [],
    y: "[T, D]",
    body: ["y[t] := hadamard(x[t])"],
  })),
  ...rotations(full),
  ...attention(full),
  ...experts(full),
  ...routing,
  ...others,
  ...of([8], () => ({
    subject: "std/decoder decoder: attention and a network, twice",
    imports: [
      'decoder from "std/decoder"',
      'gqa from "std/attention"',
      'swiglu from "std/linear"',
      'rope_freq from "std/rope"',
    ],
    items: [
      "eps := 1e-6",
      "freq := rope_freq(4, 10000)",
      "block attention = gqa(H: 4, G: 2, K: 4, ..)",
      "block ffn = swiglu(F: 12)",
      'part layer[l in 2] : decoder(..) at "layers.{l}"',
    ],
    takes: "pos: [T] in S",
    y: "[T, D]",
    body: ["h[0,t] := x[t]", "h[l + 1] := layer[l](h[l], pos)", "y[t] := h[2,t]"],
    remembers: true,
  })),
  ...of([4], () => ({
    subject: "std/hyper hyper_site, hyper_read, hyper_write",
    sizes: { M: 3 },
    imports: ['hyper_site, hyper_read, hyper_write from "std/hyper"'],
    items: ['part f : hyper_site(site: "attn", steps: 3, rms_eps: 1e-6, hc_eps: 1e-6) at "f"'],
    x: "[T, M, D]",
    y: "[T, M, D]",
    body: [
      "pre[t], post[t], comb[t] := f(x[t])",
      "r[t] := hyper_read(x[t], pre[t])",
      "y[t] := hyper_write(x[t], r[t], post[t], comb[t])",
    ],
  })),
  ...of([4], () => ({
    subject: "std/hyper hyper_collapse",
    sizes: { M: 3 },
    imports: ['hyper_collapse from "std/hyper"'],
    items: ['part f : hyper_collapse(rms_eps: 1e-6, hc_eps: 1e-6) at "f"'],
    x: "[T, M, D]",
    y: "[T, D]",
    body: ["y[t] := f(x[t])"],
  })),
];
