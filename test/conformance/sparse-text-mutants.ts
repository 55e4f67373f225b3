/** Mistakes planted in the texts of latent attention, experts and indexers, as `text-mutants.ts` has them for the dense family. */
import { type Edit, edit, mutant, type TextMutant } from "./text-mutants.ts";

const mla = (from: string, to: string): Edit => edit("std/mla.ds", from, to);
const moe = (from: string, to: string): Edit => edit("std/moe.ds", from, to);
const dsa = (from: string, to: string): Edit => edit("std/dsa.ds", from, to);
const rounding = (from: string, to: string): Edit => edit("std/quantization.ds", from, to);
const v2 = (from: string, to: string): Edit => edit("models/deepseek-v2.ds", from, to);

const ofBest = "s[e] / (sum[i in pick](s[i]) + 1e-20) * routed_scaling_factor }";

export const sparseTextMutants: readonly TextMutant[] = [
  mutant("scores of latent attention are not scaled", "v2", mla(") * softmax_scale", ")")),
  mutant("the latent is not normed", "v3-eight-groups", mla("true) : c_n[t]", "true) : c[t]")),
  mutant(
    "norms of the latent have the eps of the config",
    "v3",
    mla("part kv_norm : rms_norm(eps: 1e-6)", "part kv_norm : rms_norm(eps: 1e-3)"),
  ),
  mutant(
    "shared keys are turned by a position too many",
    "v2-lite",
    mla("rope_pairs(k_p[t], pos[t], freq", "rope_pairs(k_p[t], pos[t] + 1, freq"),
  ),
  mutant(
    "scores take the gain of YaRN once",
    "v2-lite",
    v2("yarn_gain(stretch, mscale_all)^2", "yarn_gain(stretch, mscale_all)"),
  ),
  mutant("cos and sin have no factor", "v2", v2("yarn_gain(stretch, mscale) / yarn_gain(stretch, mscale_all)", "1")),
  mutant("a group of V2 counts by its sum", "v2", moe("rank[g] := max[m](v[(g,m)])", "rank[g] := sum[m](v[(g,m)])")),
  mutant("groups are every G-th expert", "v2-lite-two-groups", moe("e div (E / G) in best]", "e mod G in best]")),
  mutant("a group fewer", "v2-eight-groups", moe("top(rank, groups)", "top(rank, groups - 1)")),
  mutant("the greedy router does not scale", "v2-one-group", moe("s[e] * routed_scaling_factor }", "s[e] }")),
  mutant(
    "a group of V3 counts by its best expert",
    "v3-eight-groups",
    moe("sum[m in top(v[(g,_)], 2)](v[(g,m)])", "max[m](v[(g,m)])"),
  ),
  mutant("the bias has no part in choosing", "v3", moe("s[e] + bias[e]", "s[e]")),
  mutant("the bias has a part in weighing", "v3", moe(ofBest, `(s[e] + bias[e])${ofBest.slice("s[e]".length)}`)),
  mutant("weights of V3 are not scaled", "v3", moe(ofBest, "s[e] / (sum[i in pick](s[i]) + 1e-20) }")),
  mutant(
    "weights are divided by their sum unasked",
    "v3-unnormed",
    edit("models/deepseek-v3.ds", "noaux_router(..)", "noaux_router(norm_topk_prob: true, ..)"),
  ),
  mutant("shared experts have a half say", "v3-unnormed", moe("+ shared(x)", "+ shared(x) * 0.5")),
  mutant("index scores below 0 count", "v3.2-yarn", dsa("relu(q8[t,h,i] * key[s,i])", "(q8[t,h,i] * key[s,i])")),
  mutant("an indexer keeps one more", "v3.2-heads", dsa("top(score[t], K)", "top(score[t], K + 1)")),
  mutant(
    "index keys are not turned",
    "v3.2-yarn",
    dsa("(rope_halves(k_r[t], pos[t], freq) | k_n[t])", "(k_r[t] | k_n[t])"),
  ),
  mutant("index keys are not transformed", "v3.2-fp8", dsa("fp8_round(hadamard(k[t])", "fp8_round(k[t]")),
  mutant(
    "scales are no powers of two",
    "v3.2-fp8-latent",
    rounding("pow2_ceil(top_of[g] / 448) :", "top_of[g] / 448 :"),
  ),
  mutant("the latent is not rounded", "v3.2-fp8-latent", mla("fp8_round(c_n[t], min(R, 128), true)", "c_n[t]")),
  mutant("the largest of a group is beyond the format", "v3.2-fp8-narrow", rounding("/ 448)", "/ 1000)")),
];

export const equalSparseTexts: readonly TextMutant[] = [
  mutant("index scores have another unit", "v3.2-yarn", dsa(" * (H * W)^-0.5", "")),
  mutant(
    "weights of experts are scaled before they are divided",
    "v3-eight-groups",
    moe(ofBest, "s[e] * routed_scaling_factor / (sum[i in pick](s[i]) + 1e-20) }"),
  ),
  // scales are powers of two: another group's moves every number by whole bits, and those near 0 alone lose some
  mutant("the latent is one group", "v3.2-fp8-latent", mla("min(R, 128)", "R")),
];
