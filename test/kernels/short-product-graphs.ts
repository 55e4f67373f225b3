/** Graphs that multiply numbers of 8 bits. Blocks have 32 of them, and 12 and 40, which no register divides. */
const of = (B: number, G: number, body: string, more = ""): string => `graph @g {
  size T in 1..200
  %w : i8[70, ${B * G}] = weight
  %x : i8[T, ${B * G}] = input
  ${more}
  %y : ${body}
  return %y
}`;
const multipliers = (G: number): string => `%m : f32[70, ${G}] = weight\n  %s : f32[T, ${G}] = input`;
const inBlock = (B: number): string => `sum[b: ${B}](%w[n, g * ${B} + b] * %x[t, g * ${B} + b])`;

/** Whole numbers. */
export const shortSums: Readonly<Record<string, string>> = {
  "whole rows": of(208, 1, "i32[T, 70] = map [t, n] sum[k: 208](%w[n, k] * %x[t, k])"),
  "rows that end beside vectors": of(44, 1, "i32[T, 70] = map [t, n] sum[k: 44](%w[n, k] * %x[t, k])"),
  "a sum for each block": of(32, 5, `i32[T, 70, 5] = map [t, n, g] ${inBlock(32)}`),
};
/** With multipliers of blocks. */
export const shortProducts: Readonly<Record<string, string>> = {
  "blocks of 32": of(
    32,
    5,
    `f32[T, 70] = map [t, n] sum[g: 5](${inBlock(32)} * (%m[n, g] * %s[t, g]))`,
    multipliers(5),
  ),
  "blocks of 12": of(
    12,
    5,
    `f32[T, 70] = map [t, n] sum[g: 5](${inBlock(12)} * (%m[n, g] * %s[t, g]))`,
    multipliers(5),
  ),
  "one block of 40": of(
    40,
    1,
    "f32[T, 70] = map [t, n] sum[k: 40](%w[n, k] * %x[t, k]) * (%m[n, 0] * %s[t, 0])",
    multipliers(1),
  ),
  "two matrices, and what is made of both": of(
    32,
    3,
    `f32[T, 70] = map [t, n] sum[g: 3](${inBlock(32)} * (%m[n, g] * %s[t, g])) * rsqrt(1 + exp(sum[h: 3](sum[b: 32](%u[n, h * 32 + b] * %x[t, h * 32 + b]) * %s[t, h])))`,
    `${multipliers(3)}\n  %u : i8[70, 96] = weight`,
  ),
};
