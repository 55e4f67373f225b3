/**
 * Blocks of a large mixture-of-experts model as elaboration would hand them over, every size symbolic: a plan that is made
 * at the published sizes runs at tiny ones, which is how tests prove what passes did.
 */
import { Builder } from "../../compiler/graph/builder.ts";
import { addDim, type DimLike, dim, mulDim, type Sizes } from "../../compiler/graph/dim.ts";
import type { Append, Axis, DType, Graph, Node, Scalar, SizeRange } from "../../compiler/graph/node.ts";
import { add, axis, call, dimValue, mul, name, num, read, reduce } from "../../compiler/graph/scalar.ts";

/**
 * D hidden, L q_lora_rank, R kv_lora_rank, N nope, P rope pairs, V value, H heads, E experts, K top_k, F expert width,
 * W dense width, J indexer heads, I indexer width, Q kept positions.
 */
export const published: Sizes = {
  D: 7168,
  L: 1536,
  R: 512,
  N: 128,
  P: 32,
  V: 128,
  H: 128,
  E: 256,
  K: 8,
  F: 2048,
  W: 18432,
  J: 64,
  I: 128,
  Q: 2048,
};
export const tiny: Sizes = { D: 6, L: 5, R: 4, N: 3, P: 2, V: 3, H: 2, E: 5, K: 2, F: 4, W: 5, J: 2, I: 4, Q: 3 };
/** The published sizes with T tokens of a call, after which S are remembered. */
export const publishedAt = (T: number, S: number): Sizes => ({ ...published, T, S0: S - T });
export const ranges: ReadonlyMap<string, SizeRange> = new Map([
  ...Object.keys(published).map((n) => [n, { low: 1, high: 1 << 20 }] as const),
  ["T", { low: 1, high: 4096 }],
  ["S0", { low: 0, high: 131072 }],
]);

const i = name;
export const at = (v: Node, ...xs: readonly (Scalar | string)[]): Scalar =>
  read(
    v,
    xs.map((x) => (typeof x === "string" ? name(x) : x)),
  );
export const times = (...fs: readonly Scalar[]): Scalar => fs.reduce((a, f) => mul(a, f));
export const sum = (axes: readonly Axis[], body: Scalar, where: Scalar | null = null): Scalar =>
  reduce("sum", axes, body, where);
const memory = addDim("S0", "T");
const pairs = mulDim(2, "P");
const [t, s, h, d] = [axis("t", "T"), axis("s", memory), axis("h", "H"), axis("d", "D")];
const position = (x: string): Scalar => (x === "t" ? add(i("t"), dimValue("S0")) : i(x));
const visible = call("le", i("s"), position("t"));
const sigmoid = (x: Scalar): Scalar => call("div", num(1), add(num(1), call("exp", call("neg", x))));
export const silu = (x: Scalar): Scalar => mul(x, sigmoid(x));

type WeightAt = (...xs: readonly (Scalar | string)[]) => Scalar;
/** Where a block gets its weights from and leaves its rows: plainly, or one of the layers of a repeat. */
export interface Surroundings {
  readonly b: Builder;
  readonly weight: (label: string, dims: readonly DimLike[], dtype?: DType) => WeightAt;
  /** The memory after the rows of this call. */
  readonly remember: (label: string, rows: Node) => Append;
  readonly effects: Append[];
}
export function plain(b: Builder, prefix = ""): Surroundings {
  const effects: Append[] = [];
  return {
    b,
    effects,
    weight: (label, dims, dtype = "e4m3") => {
      const w = b.weight(prefix + label, dims, dtype);
      return (...xs) => at(w, ...xs);
    },
    remember: (label, rows) => {
      const state = b.state(prefix + label, ["S0", ...rows.type.dims.slice(1)]);
      const made = b.append(label, state, [], rows, memory);
      effects.push(made);
      return made;
    },
  };
}
/** Weights and states of a repeated layer have one leading axis, read at the loop index. */
export function stacked(b: Builder, prefix: string, count: DimLike, index: Node): Surroundings {
  const effects: Append[] = [];
  const layer = read(index, []);
  return {
    b,
    effects,
    weight: (label, dims, dtype = "e4m3") => {
      const w = b.weight(prefix + label, [count, ...dims], dtype);
      return (...xs) => at(w, layer, ...xs);
    },
    remember: (label, rows) => {
      const state = b.state(prefix + label, [count, "S0", ...rows.type.dims.slice(1)]);
      const made = b.append(label, state, [layer], rows, memory);
      effects.push(made);
      return made;
    },
  };
}

export function rmsNorm(b: Builder, x: Node, gain: WeightAt, size: DimLike, label: string): Node {
  const [c, o] = [axis("c", size), axis("d", size)];
  const ss = b.map(`${label}_ss`, [t], sum([c], mul(at(x, "t", "c"), at(x, "t", "c"))));
  const r = call("rsqrt", add(call("div", at(ss, "t"), dimValue(size)), num(1e-6)));
  return b.map(label, [t, o], times(at(x, "t", "d"), r, gain("d")));
}
/** softmax over one axis, written out as a library would. */
export function softmax(b: Builder, score: Node, domain: readonly Axis[], over: Axis, where: Scalar | null): Node {
  const row = domain.map((a) => a.name);
  const full = at(score, ...row, over.name);
  const m = b.map("m", domain, reduce("max", [over], full, where));
  const e = call("exp", call("sub", full, at(m, ...row)));
  const l = b.map("l", domain, sum([over], e, where));
  return b.map("p", [...domain, over], call("div", e, at(l, ...row)));
}
/** Pair axes are explicit: the partner of 2*i + u is 2*i + 1 - u, an affine map without a parity test. */
function rope(b: Builder, label: string, x: (channel: Scalar) => Scalar, domain: readonly Axis[]): Node {
  const [cos, sin] = [b.input("cos", [memory, "P"]), b.input("sin", [memory, "P"])];
  const two = mul(num(2), i("i"));
  const self = add(two, i("u"));
  const partner = call("sub", add(two, num(1)), i("u"));
  const turned = times(call("sub", mul(num(2), i("u")), num(1)), x(partner), at(sin, position("t"), "i"));
  const body = add(mul(x(self), at(cos, position("t"), "i")), turned);
  return b.map(label, [...domain, axis("i", "P"), axis("u", 2)], body);
}

/** What a block of attention selects among the remembered rows: a set of positions a token; null for all so far. */
export type Select = ((at: Surroundings, x: Node) => Node) | null;

/** Naive latent attention: keys and values expanded, nope and rope parts concatenated, softmax, contraction, projection. */
export function mla(x: Node, on: Surroundings, select: Select = null): Node {
  const { b, weight } = on;
  const width = addDim("N", pairs);
  const [n, e, r, l] = [axis("n", "N"), axis("e", "V"), axis("r", "R"), axis("l", "L")];
  const qa = weight("w_qa", ["L", "D"]);
  const qb = weight("w_qb", ["H", width, "L"]);
  const dkv = weight("w_dkv", [addDim("R", pairs), "D"]); // latent and rope rows side by side
  const ukv = weight("w_ukv", ["H", addDim("N", "V"), "R"]); // keys and values side by side
  const wo = weight("w_o", ["D", "H", "V"]);

  const xn = rmsNorm(b, x, weight("g_in", ["D"], "f32"), "D", "xn");
  const cq0 = b.map("cq0", [t, l], sum([d], mul(at(xn, "t", "d"), qa("l", "d"))));
  const cq = rmsNorm(b, cq0, weight("g_q", ["L"], "f32"), "L", "cq");
  const q = b.map("q", [t, h, axis("c", width)], sum([l], mul(at(cq, "t", "l"), qb("h", "c", "l"))));
  const qr = rope(b, "qr", (c) => at(q, "t", "h", add(c, dimValue("N"))), [t, h]);

  const c0 = b.map("c0", [t, r], sum([d], mul(at(xn, "t", "d"), dkv("r", "d"))));
  const kp = b.map("kp", [t, axis("c", pairs)], sum([d], mul(at(xn, "t", "d"), dkv(add(i("c"), dimValue("R")), "d"))));
  const latent = on.remember("latent", rmsNorm(b, c0, weight("g_kv", ["R"], "f32"), "R", "cn"));
  const keyRope = on.remember(
    "key_rope",
    rope(b, "kr", (c) => at(kp, "t", c), [t]),
  );

  const k = b.map("k", [s, h, n], sum([r], mul(at(latent, "s", "r"), ukv("h", "n", "r"))));
  const v = b.map("v", [s, h, e], sum([r], mul(at(latent, "s", "r"), ukv("h", add(i("e"), dimValue("N")), "r"))));
  const c = axis("c", width);
  const low = call("lt", i("c"), dimValue("N"));
  const past = call("sub", i("c"), dimValue("N"));
  const pair = [call("floordiv", past, num(2)), call("mod", past, num(2))];
  const query = b.map("Q", [t, h, c], call("select", low, at(q, "t", "h", "c"), at(qr, "t", "h", ...pair)));
  const key = b.map("K", [s, h, c], call("select", low, at(k, "s", "h", "c"), at(keyRope, "s", ...pair)));
  const dot = sum([c], mul(at(query, "t", "h", "c"), at(key, "s", "h", "c")));
  const a = b.map("a", [t, h, s], mul(num(0.135), dot));

  let o: Node;
  if (select === null) {
    const p = softmax(b, a, [t, h], s, visible);
    o = b.map("o", [t, h, e], sum([s], mul(at(p, "t", "h", "s"), at(v, "s", "h", "e")), visible));
  } else {
    // s stands for pick[t, j], with j below the number of positions that are visible
    const row = at(select(on, x), "t", "j");
    const j = axis("j", "Q");
    const inside = call("le", i("j"), position("t"));
    const chosen = b.map("a_sel", [t, h, j], at(a, "t", "h", row));
    const p = softmax(b, chosen, [t, h], j, inside);
    o = b.map("o", [t, h, e], sum([j], mul(at(p, "t", "h", "j"), at(v, row, "h", "e")), inside));
  }
  const y = b.map("y", [t, d], sum([h, e], mul(wo("d", "h", "e"), at(o, "t", "h", "e"))));
  return b.map("x_attn", [t, d], add(at(x, "t", "d"), at(y, "t", "d")));
}

/** The lightning indexer: the Q positions with the largest Σ_j w_j·relu(q_j·k). */
export function indexer(on: Surroundings, x: Node): Node {
  const { b, weight } = on;
  const [j, c] = [axis("j", "J"), axis("c", "I")];
  const [wq, wk, ww] = [weight("w_iq", ["J", "I", "D"]), weight("w_ik", ["I", "D"]), weight("w_iw", ["J", "D"])];
  const iq = b.map("iq", [t, j, c], sum([d], mul(at(x, "t", "d"), wq("j", "c", "d"))));
  const ik = b.map("ik", [t, c], sum([d], mul(at(x, "t", "d"), wk("c", "d"))));
  const keys = on.remember("index_keys", ik);
  const iw = b.map("iw", [t, j], sum([d], mul(at(x, "t", "d"), ww("j", "d"))));
  const dot = b.map("dot", [t, j, s], sum([c], mul(at(iq, "t", "j", "c"), at(keys, "s", "c"))));
  const score = sum([j], mul(at(iw, "t", "j"), call("maximum", at(dot, "t", "j", "s"), num(0))));
  return b.topK("near", [t], s, "Q", at(b.map("index_score", [t, s], score), "t", "s"), visible);
}

export function swiglu(b: Builder, x: Node, weight: Surroundings["weight"], width: DimLike, label: string): Node {
  const f = axis("f", width);
  const [w1, w3, w2] = [
    weight(`${label}_w1`, [width, "D"]),
    weight(`${label}_w3`, [width, "D"]),
    weight(`${label}_w2`, ["D", width]),
  ];
  const g = b.map(`${label}_g`, [t, f], sum([d], mul(at(x, "t", "d"), w1("f", "d"))));
  const u = b.map(`${label}_u`, [t, f], sum([d], mul(at(x, "t", "d"), w3("f", "d"))));
  const a = b.map(`${label}_a`, [t, f], mul(silu(at(g, "t", "f")), at(u, "t", "f")));
  return b.map(`${label}_y`, [t, d], sum([f], mul(at(a, "t", "f"), w2("d", "f"))));
}

/** Every expert of every token is *defined*; the sum asks for the picked ones only. */
export function moe(x: Node, { b, weight }: Surroundings): Node {
  const [e, f, j] = [axis("e", "E"), axis("f", "F"), axis("j", "K")];
  const xf = rmsNorm(b, x, weight("g_ffn", ["D"], "f32"), "D", "xf");
  const [gate, bias] = [weight("w_gate", ["E", "D"], "f32"), weight("bias", ["E"], "f32")];
  const [w1, w3, w2] = [weight("w1", ["E", "F", "D"]), weight("w3", ["E", "F", "D"]), weight("w2", ["E", "D", "F"])];
  const z = b.map("z", [t, e], sum([d], mul(at(xf, "t", "d"), gate("e", "d"))));
  const score = b.map("score", [t, e], sigmoid(at(z, "t", "e")));
  const pick = b.topK("pick", [t], e, "K", add(at(score, "t", "e"), bias("e")));
  const row = at(pick, "t", "j");
  const norm = b.map("norm", [t], sum([j], at(score, "t", row)));
  const into = (label: string, w: WeightAt): Node =>
    b.map(label, [t, e, f], sum([d], mul(at(xf, "t", "d"), w("e", "f", "d"))));
  const [g, u] = [into("g", w1), into("u", w3)];
  const act = b.map("act", [t, e, f], mul(silu(at(g, "t", "e", "f")), at(u, "t", "e", "f")));
  const y = b.map("ye", [t, e, d], sum([f], mul(at(act, "t", "e", "f"), w2("e", "d", "f"))));
  const share = call("div", at(score, "t", row), add(at(norm, "t"), num(1e-20)));
  const routed = b.map("routed", [t, d], sum([j], times(share, at(y, "t", row, "d"), num(2.5))));
  const shared = swiglu(b, xf, weight, "F", "shared");
  return b.map("x_moe", [t, d], add(add(at(x, "t", "d"), at(routed, "t", "d")), at(shared, "t", "d")));
}

function dense(x: Node, { b, weight }: Surroundings): Node {
  const xf = rmsNorm(b, x, weight("g_ffn", ["D"], "f32"), "D", "xf");
  return b.map("x_ffn", [t, d], add(at(x, "t", "d"), at(swiglu(b, xf, weight, "W", "ffn"), "t", "d")));
}

export interface Depth {
  readonly dense: number;
  readonly sparse: number;
}
/** Layers with a dense network, then layers of experts: as two repeats, or each layer written out. */
export function layers(b: Builder, x: Node, form: "unrolled" | "repeat", depth: Depth): { y: Node; effects: Append[] } {
  const effects: Append[] = [];
  let y = x;
  for (const kind of ["dense", "sparse"] as const) {
    const count = depth[kind];
    const layer = (input: Node, on: Surroundings): Node => {
      const after = mla(input, on);
      return kind === "dense" ? dense(after, on) : moe(after, on);
    };
    if (form === "unrolled") {
      for (let n = 0; n < count; n += 1) {
        const on = plain(b, `${kind}${n}.`);
        y = layer(y, on);
        effects.push(...on.effects);
      }
    } else {
      const { carry, index } = b.loop("h", x.type);
      const on = stacked(b, `${kind}.`, count, index);
      const body = layer(carry, on);
      y = b.repeat(kind, { count, init: y, carry, index, body, effects: on.effects });
    }
  }
  return { y, effects };
}

/** A graph of one block over x: [T, D]. */
export function blockGraph(
  label: string,
  block: (x: Node, on: Surroundings) => Node,
): { readonly b: Builder; readonly g: Graph } {
  const b = new Builder();
  const on = plain(b);
  const y = block(b.input("x", ["T", "D"]), on);
  return { b, g: { name: label, sizes: ranges, results: [y], effects: on.effects } };
}
export function layersGraph(form: "unrolled" | "repeat", depth: Depth): { readonly b: Builder; readonly g: Graph } {
  const b = new Builder();
  const { y, effects } = layers(b, b.input("x", ["T", dim("D")]), form, depth);
  return { b, g: { name: "layers", sizes: ranges, results: [y], effects } };
}
