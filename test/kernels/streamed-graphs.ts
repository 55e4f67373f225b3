/** Maps around a fold with a running maximum: attention of many shapes, as graphs. */
import type { Sizes } from "../../compiler/graph/dim.ts";

export interface StreamedGraph {
  readonly text: string;
  /** Of a call, beside T and S0. */
  readonly more?: Sizes;
}
const graph = (lines: string): string => `graph @g {
  size T in 1..4096
  size S0 in 0..100000
  ${lines}
  return %y
}`;
const softmax = (score: string, value: string): string =>
  `let a = ${score}; max m = a; sum z = exp(a - m); sum acc = exp(a - m) * ${value}; yield acc / z`;
const causal = "s: S0 + T where s <= t + S0";

export const multiHead = (heads: number, width: number, elem = "f32"): string =>
  graph(`%q : f32[T, ${heads}, ${width}] = input
  %k : ${elem}[S0 + T, ${heads}, ${width}] = input
  %v : ${elem}[S0 + T, ${heads}, ${width}] = input
  %y : f32[T, ${heads}, ${width}] = map [t, h, e] fold[${causal}]{ ${softmax(`sum[c: ${width}](%q[t, h, c] * %k[s, h, c]) * ${width ** -0.5}`, "%v[s, h, e]")} }`);

/** G heads of keys, each for M of queries, which are rotated where the scores are made. */
export const grouped = (G: number, M: number, K: number): string => {
  const q = (at: string): string => `%q[t, g, g1, ${at}]`;
  const [a, b] = [q("c1"), q(`${K / 2} + c1`)];
  const rotated = `select(c == 0, ${a} * %cos[t, c1] - ${b} * %sin[t, c1], ${b} * %cos[t, c1] + ${a} * %sin[t, c1])`;
  const score = `sum[c: 2, c1: ${K / 2}](${rotated} * %k[s, g, c, c1]) * ${K ** -0.5}`;
  return graph(`%q : f32[T, ${G}, ${M}, ${K}] = input
  %cos : f32[T, ${K / 2}] = input
  %sin : f32[T, ${K / 2}] = input
  %k : f32[S0 + T, ${G}, 2, ${K / 2}] = input
  %v : f32[S0 + T, ${G}, ${K}] = input
  %y : f32[T, ${G}, ${M}, ${K}] = map [t, g, g1, g2] fold[${causal}]{ ${softmax(score, "%v[s, g, g2]")} }`);
};

/** One latent row for all heads, beside a rotary part; `near`: places are looked up. */
export const latent = ({ H, R, P, near }: { H: number; R: number; P: number; near: boolean }): string => {
  const at = near ? "%near[t, s]" : "s";
  const rope = `select(j2 == 0, %qp[t, h, j1 * 2] * %cos[t, j1] - %qp[t, h, j1 * 2 + 1] * %sin[t, j1], %qp[t, h, j1 * 2 + 1] * %cos[t, j1] + %qp[t, h, j1 * 2] * %sin[t, j1])`;
  const score = `(sum[r1: ${R}](%latent[${at}, r1] * %qn[h, t, r1]) + sum[j1: ${P / 2}, j2: 2](${rope} * %rope[${at}, j1, j2])) * 0.135`;
  const domain = near ? "s: N where s < t + S0 + 1" : causal;
  return graph(`size N in 1..4096
  %qn : f32[${H}, T, ${R}] = input
  %qp : f32[T, ${H}, ${P}] = input
  %cos : f32[T, ${P / 2}] = input
  %sin : f32[T, ${P / 2}] = input
  %latent : f32[S0 + T, ${R}] = input
  %rope : f32[S0 + T, ${P / 2}, 2] = input
  ${near ? "%near : i32[T, N] = input" : ""}
  %y : f32[T, ${H}, ${R}] = map [t, h, r] fold[${domain}]{ ${softmax(score, `%latent[${at}, r]`)} }`);
};

export const streamedGraphs: Readonly<Record<string, StreamedGraph>> = {
  "heads of their own": { text: multiHead(3, 8) },
  "keys and values in bf16": { text: multiHead(2, 16, "bf16") },
  "heads in groups, rotated": { text: grouped(2, 4, 8) },
  "groups of three": { text: grouped(2, 3, 8) },
  "groups of two": { text: grouped(2, 2, 16) },
  latent: { text: latent({ H: 8, R: 12, P: 8, near: false }) },
  "latent, looked up": { text: latent({ H: 5, R: 16, P: 4, near: true }), more: { N: 70 } },
  "latent, few looked up": { text: latent({ H: 2, R: 16, P: 4, near: true }), more: { N: 5 } },
  "all places": {
    text: graph(`%q : f32[T, 2, 8] = input
  %k : f32[S0 + T, 2, 8] = input
  %v : f32[S0 + T, 2, 12] = input
  %y : f32[T, 2, 12] = map [t, h, e] fold[s: S0 + T]{ ${softmax("sum[c: 8](%q[t, h, c] * %k[s, h, c])", "%v[s, h, e]")} }`),
  },
  "a window, and a sink": {
    text: graph(`%q : f32[T, 6, 8] = input
  %kv : f32[S0 + T, 8] = input
  %sink : f32[6] = input
  %y : f32[T, 6, 8] = map [t, h, e] fold[s: S0 + T where and(s <= t + S0, t + S0 - 6 < s)]{ let a = sum[c: 8](%q[t, h, c] * %kv[s, c]) * 0.35; max m = a; sum z = exp(a - m); sum acc = exp(a - m) * %kv[s, e]; yield acc * exp(m - maximum(m, %sink[h])) / (z * exp(m - maximum(m, %sink[h])) + exp(%sink[h] - maximum(m, %sink[h]))) }`),
  },
  "a slope, a second sum, and what is around": {
    text: graph(`%x : f32[T, 8] = input
  %q : f32[T, 8] = input
  %k : f32[S0 + T, 8] = input
  %v : f32[S0 + T, 8] = input
  %w : f32[S0 + T] = input
  %y : f32[T, 8] = map [t, e] %x[t, e] + fold[s: S0 + T where s <= t + S0]{ let a = sum[c: 8](%q[t, c] * %k[s, c]) * 0.35 + (s - t) * 0.01; max m = a; sum z = exp(a - m); sum n = exp(a - m) * 0.5; sum acc = exp(a - m) * %w[s] * %v[s, e]; yield (acc + n) / z } * 2`),
  },
  "no place before the first row": {
    text: graph(`%q : f32[T, 3, 8] = input
  %k : f32[S0 + T, 8] = input
  %v : f32[S0 + T, 8] = input
  %y : f32[T, 3, 8] = map [t, h, e] fold[s: S0 + T where s < t + S0]{ ${softmax("sum[c: 8](%q[t, h, c] * %k[s, c])", "%v[s, e]")} }`),
  },
  "the maximum itself, which may be none": {
    text: graph(`%q : f32[T, 3, 8] = input
  %k : f32[S0 + T, 8] = input
  %v : f32[S0 + T, 8] = input
  %y : f32[T, 3, 8] = map [t, h, e] fold[s: S0 + T where s < t + S0]{ let a = sum[c: 8](%q[t, h, c] * %k[s, c]); max m = a; sum acc = exp(a - m) * %v[s, e]; yield acc / 64 + m }`),
  },
  "scores far below 0": {
    text: graph(`%q : f32[T, 3, 8] = input
  %k : f32[S0 + T, 8] = input
  %v : f32[S0 + T, 8] = input
  %y : f32[T, 3, 8] = map [t, h, e] fold[${causal}]{ ${softmax("sum[c: 8](%q[t, h, c] * %k[s, c]) - 128", "%v[s, e]")} }`),
  },
  "parts of a text, a slope by head, and a bias by pair": {
    text: graph(`%q : f32[T, 8] = input
  %k : f32[S0 + T, 8] = input
  %v : f32[S0 + T, 8] = input
  %part : i32[S0 + T] = input
  %slope : f32[T] = input
  %bias : f32[S0 + T, T] = input
  %u : f32[T] = input
  %y : f32[T, 8] = map [t, e] fold[s: S0 + T where and(s <= t + S0, eq(mod(%part[s], 3), mod(%part[t + S0], 3)))]{ let a = sum[c: 8](%q[t, c] * %k[s, c]) + %slope[t] * (s - t - S0) + %bias[s, t]; max m = a; sum z = exp(a - m); sum n = exp(a - m) * %u[t] * %slope[mod(s, T)]; sum acc = exp(a - m) * %v[s, e]; yield acc / z + n }`),
  },
  "a product of two sums": {
    text: graph(`%q : f32[T, 8] = input
  %k : f32[S0 + T, 8] = input
  %j : f32[S0 + T, 4] = input
  %v : f32[S0 + T, 8] = input
  %y : f32[T, 8] = map [t, e] fold[s: S0 + T where s <= t + S0]{ ${softmax("sum[c: 8](%q[t, c] * %k[s, c]) * sum[d: 4](%q[t, d] * %j[s, d])", "%v[s, e]")} }`),
  },
  "terms that are no products": {
    text: graph(`%q : f32[T, 8] = input
  %k : f32[S0 + T, 8] = input
  %v : f32[S0 + T, 8] = input
  %y : f32[T, 8] = map [t, e] fold[${causal}]{ ${softmax("sum[c: 8](maximum(%q[t, c] + %k[s, c], 0))", "%v[s, e]")} }`),
  },
};
/** What has the form but for one thing: done otherwise. */
export const otherGraphs: Readonly<Record<string, string>> = {
  "values of odd width": multiHead(2, 7),
  "no wide axis": graph(`%q : f32[T, 3, 8] = input
  %k : f32[S0 + T, 8] = input
  %y : f32[T, 3] = map [t, h] fold[${causal}]{ let a = sum[c: 8](%q[t, h, c] * %k[s, c]); max m = a; sum z = exp(a - m); yield m + log(z) }`),
};
