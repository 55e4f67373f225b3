/** Products with many tokens as graphs, of every form whose factors a schedule may put into shared memory. */
const of = (body: string, more = ""): string => `graph @g {
  size T in 1..200
  size S in 0..4096
  %x : f32[T, 40] = input
  %w : f32[70, 40] = weight
  ${more}
  %y : f32[T, ${body}
  return %y
}`;
const picked = (E: number, body: string): string => `graph @g {
  size T in 1..200
  %x : f32[T, 40] = input
  %w : f32[${E}, 24, 40] = weight
  %s : f32[T, 2] = input
  %e : i32[T, 2] = input
  %order : i32[2 * T] = argsort p: 2 * T by mod(%e[floordiv(p, 2), mod(p, 2)], ${E})
  %expert : i32[2 * T] = map [p] mod(%e[floordiv(%order[p], 2), mod(%order[p], 2)], ${E})
  %y : f32[2 * T, 24] = map [p, n] ${body}
  return %y
}`;

export const contractionGraphs: Readonly<Record<string, string>> = {
  "a matrix": of("70] = map [t, n] sum[k: 40](%x[t, k] * %w[n, k])"),
  "rows and sums in whole tiles": of(
    "64] = map [t, n] sum[k: 64](%v[t, k] * %u[n, k])",
    "%v : f32[T, 64] = input\n  %u : f32[64, 64] = weight",
  ),
  "bf16 with a multiplier for each block": of(
    "70] = map [t, n] sum[k: 40](%x[t, k] * (%u[n, k] * %m[floordiv(n, 8), floordiv(k, 8)]))",
    "%u : bf16[70, 40] = weight\n  %m : f32[9, 5] = weight",
  ),
  "int8 with a multiplier for each block": of(
    "70] = map [t, n] sum[k: 40](%x[t, k] * (%u[n, k] * %m[n, floordiv(k, 8)])) * 0.01",
    "%u : i8[70, 40] = weight\n  %m : f32[70, 5] = weight",
  ),
  "f16 matrices with tokens of bf16": of(
    "70] = map [t, n] sum[k: 40](%v[t, k] * %u[n, k])",
    "%u : f16[70, 40] = weight\n  %v : bf16[T, 40] = input",
  ),
  "sums that end beside vectors": of(
    "37] = map [t, n] sum[k: 33](%v[t, k] * %u[n, k])",
    "%v : f32[T, 33] = input\n  %u : f32[37, 33] = weight",
  ),
  "two matrices, and what is made of both": of(
    "70] = map [t, n] sum[k: 40](%x[t, k] * %w[n, k]) * rsqrt(1 + exp(sum[k: 40](%x[t, k] * %u[n, k]) * -1))",
    "%u : f32[70, 40] = weight",
  ),
  "a norm of the tokens in the same pass": of(
    "70] = map [t, n] sum[k: 40](%x[t, k] * %g[k] * %w[n, k]) * rsqrt(sum[k: 40](%x[t, k] * %x[t, k]) / 40 + 1e-6)",
    "%g : f32[40] = weight",
  ),
  "a norm of the tokens before it": of(
    "70] = map [t, n] sum[k: 40](%x[t, k] * rsqrt(sum[j: 40](%x[t, j] * %x[t, j]) / 40 + 1e-6) * %w[n, k])",
  ),
  "what is made of two is multiplied": of(
    "70] = map [t, n] %r[t, n] + sum[k: 40](%x[t, k] * rsqrt(1 + exp(%x[t, k] * -1)) * %v[t, k] * %w[n, k])",
    "%v : f32[T, 40] = input\n  %r : f32[T, 70] = input",
  ),
  "a rotation of products": of(
    "3, 2, 16] = map [t, h, i, j] select(i == 0, sum[k: 40](%u[h, j, k] * %x[t, k]) * %c[t, j], sum[k: 40](%u[h, 16 + j, k] * %x[t, k]) - sum[k: 40](%u[h, j, k] * %x[t, k]) * %c[t, j])",
    "%u : f32[3, 32, 40] = weight\n  %c : f32[T, 16] = input",
  ),
  "heads with matrices of their own": of(
    "3, 40] = map [t, h, n] sum[k: 24](%v[t, h, k] * %u[h, n, k])",
    "%v : f32[T, 3, 24] = input\n  %u : f32[3, 40, 24] = weight",
  ),
  "rows adjacent where sums are not": of(
    "44] = map [t, n] sum[k: 39](%v[t, k] * %u[k, n])",
    "%v : f32[T, 39] = input\n  %u : f32[39, 44] = weight",
  ),
  "matrices in columns": of(
    "44] = map [t, n] sum[k: 40](%v[t, k] * %u[k, n])",
    "%v : f32[T, 40] = input\n  %u : f32[40, 44] = weight",
  ),
  "sums over two axes": of(
    "44] = map [t, n] sum[h: 3, k: 20](%v[h, t, k] * %u[n, h, k])",
    "%v : f32[3, T, 20] = input\n  %u : f32[44, 3, 20] = weight",
  ),
  "as many terms as there are": of(
    "40] = map [t, n] sum[s: S](%p[t, s] * %v[s, n])",
    "%p : f32[T, S] = input\n  %v : f32[S, 40] = input",
  ),
  "rows of picked matrices": picked(
    5,
    "sum[k: 40](%w[%expert[p], n, k] * %x[floordiv(%order[p], 2), k]) * %s[floordiv(%order[p], 2), mod(%order[p], 2)]",
  ),
  "rows of picked matrices, of which few are alike": picked(
    20,
    "sum[k: 40](%w[%expert[p], n, k] * %x[floordiv(%order[p], 2), k])",
  ),
};
