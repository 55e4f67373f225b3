/** Every law of the library and of the models holds on seeded sizes and arguments, and breaks where its text is wrong. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readProject } from "../conformance/bind-text.ts";
import { type FoundLaw, lawsOf, tryLaw } from "./run-law.ts";

const cases = process.env["DSC_FULL"] === "1" ? 2000 : 120;
const folder = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const files = [
  ...readdirSync(folder("dsl/stdlib")).map((name) => `std/${name}`),
  ...readdirSync(folder("models")).map((name) => `models/${name}`),
].filter((name) => name.endsWith(".ds") && /^law /m.test(readProject(name) ?? ""));
const laws = files.flatMap((file) => lawsOf(file).map((found) => [`${file}: ${found.law.name.text}`, found] as const));

test.each(laws)("%s", (_, found) => {
  const { failure, held, tried } = tryLaw(found, cases);
  expect(failure).toBeNull();
  expect(held).toBeGreaterThan(cases / 4);
  if (found.sizes.length > 0) expect(tried.size).toBeGreaterThan(2);
});

test("all sizes that a Hadamard transform takes are tried, and no others", () => {
  const found = laws.find(([name]) => name === "std/dsa.ds: hadamard_is_involution")?.[1];
  expect([...(found === undefined ? [] : tryLaw(found, 120).tried)].sort()).toEqual(
    ["N=1", "N=16", "N=2", "N=4", "N=8"].sort(),
  );
});

/** A slip in a library's text, and the law that notices it. */
const slips: readonly (readonly [file: string, find: string, replace: string, law: string])[] = [
  ["std/rope.ds", "x[(0,j)] * c[j] - x[(1,j)] * s[j]", "x[(0,j)] * c[j] + x[(1,j)] * s[j]", "rope_halves_turn_back"],
  ["std/rope.ds", "x[(1,j)] * c[j] + x[(0,j)] * s[j]", "x[(1,j)] * c[j] - x[(0,j)] * s[j]", "rope_halves_turn_back"],
  ["std/rope.ds", "x[(j,0)] * c[j] - x[(j,1)] * s[j]", "x[(j,0)] * c[j] + x[(j,1)] * s[j]", "rope_is_rotation"],
  ["std/rope.ds", "x[(j,1)] * c[j] + x[(j,0)] * s[j]", "x[(j,1)] * s[j] + x[(j,0)] * c[j]", "rope_is_rotation"],
  ["std/rope.ds", "y := rope_pairs(x, -position, freq)", "y := rope_pairs(x, position, freq)", "rope_is_rotation"],
  ["std/rope.ds", "w := rope_freq(P, theta) / factor", "w := rope_freq(P, theta) / (1 + factor)", "linear_of_one"],
  ["std/rope.ds", "base[i] * (1 - ramp[i])", "base[i] * (1 + ramp[i])", "yarn_of_one"],
  ["std/rope.ds", "(1 - blend[i]) * base[i] / factor", "(1 + blend[i]) * base[i] / factor", "llama3_of_one"],
  ["std/softmax.ds", "m    := max[i](a[i])\n", "m    := 0\n", "softmax_sums"],
  ["std/softmax.ds", "m    := max[i](a[i])\n", "m    := min[i](a[i])\n", "softmax_sums"],
  ["std/softmax.ds", "z    := sum[i](e[i])\n", "z    := sum[i](a[i])\n", "softmax_sums"],
  ["std/softmax.ds", "m)\n  z    := sum[i](e[i])\n", "2 * m)\n  z    := sum[i](e[i])\n", "softmax_shift"],
  ["std/softmax.ds", "m    := max(max[i](a[i]), sink)", "m    := min(max[i](a[i]), sink)", "softmax_of_no_sink"],
  ["std/softmax.ds", "sum[i](e[i]) + exp(sink - m)", "sum[i](e[i]) + exp(m - sink)", "softmax_of_no_sink"],
  ["std/softmax.ds", "sum[i](e[i]) + exp(sink - m)", "sum[i](e[i])", "softmax_of_one_sink"],
  ["std/softmax.ds", "exp(sink - m)", "exp(sink)", "softmax_sink_shift"],
  ["std/norm.ds", "sum[d](x[d]^2) / D + eps", "sum[d](x[d]^2) + eps", "rms_norm_of_equals"],
  ["std/norm.ds", "sum[d](x[d]^2) / D + eps", "sum[d](x[d]) / D + eps", "rms_norm_of_equals"],
  ["std/norm.ds", "sum[d](x[d]^2) / D + eps", "sum[d](x[d]^2) / D + sqrt(eps)", "rms_norm_ignores_scale"],
  ["std/norm.ds", "y[d] := x[d] * r", "y[d] := abs(x[d]) * r", "rms_norm_is_odd"],
  ["std/dsa.ds", "y := walsh(row) * N^-0.5", "y := walsh(row) / N", "hadamard_is_involution"],
  ["std/dsa.ds", "v[m,(0,j)] - v[m,(1,j)]", "v[m,(0,j)] + v[m,(1,j)]", "hadamard_is_involution"],
  ["std/scalar.ds", "1 / (1 + exp(-x))", "1 / (2 + exp(-x))", "sigmoid_odd"],
  ["std/scalar.ds", "x * sigmoid(x)", "2 * x * sigmoid(x)", "silu_parts"],
  ["std/scalar.ds", "0.5 * x * (1 + erf(x / sqrt(2)))", "x * (1 + erf(x / sqrt(2)))", "gelu_parts"],
  ["std/scalar.ds", "0.5 * x * (1 + tanh(", "0.5 * x * (2 + tanh(", "gelu_tanh_parts"],
  ["std/scalar.ds", "max(x, 0) + log1p(exp(-abs(x)))", "max(x, 0) + log1p(exp(abs(x)))", "softplus_even"],
  ["std/scalar.ds", "max(x, 0) + log1p(exp(-abs(x)))", "log1p(exp(x))", "softplus_parts"],
  ["std/scalar.ds", "= sign(x) * sqrt(", "= sqrt(", "signed_sqrt_odd"],
  [
    "std/quantization.ds",
    "((v[(g,b)] / scale[g]) as e4m3) * scale[g]",
    "(v[(g,b)] as e4m3) / scale[g]",
    "fp8_round_settles",
  ],
  ["std/quantization.ds", "max(max[b](abs(v[(g,b)])), 1e-4)", "max(max[b](v[(g,b)]), 1e-4)", "fp8_round_settles"],
];

test.each(slips)("%s: %s -> %s breaks %s", (file, find, replace, law) => {
  const text = readProject(file) ?? "";
  expect(text.split(find)).toHaveLength(2);
  const slipped = lawsOf(file, new Map([[file, text.replace(find, replace)]]));
  const found: FoundLaw | undefined = slipped.find((one) => one.law.name.text === law);
  if (found === undefined) expect.fail(`there is no law ${law}`);
  expect(tryLaw(found, 400).failure).not.toBeNull();
});
