/** Whole numbers of 64 bits. */
import { reals, wholes, wides } from "../seeded-values.ts";
import { remembering, type TextCase, three } from "./text-case.ts";

/** Arithmetic of 64 bits around what is none: constants, indices, numbers of 32 bits, sums, reals, rows of a table. */
export function wideNumbers(): readonly TextCase[] {
  return [
    {
      subject: "a hash of 64 bits of numbers of 32, and rows of a table at it",
      sizes: { D: 5, V: 11 },
      lines: [
        "%ids : i32[T] = input",
        "%h : i64[T] = map [t] xor(%ids[t] * 6364136223846793, %ids[T - 1 - t] * 1442695040888963 + t)",
        "%w : f32[V, D] = weight",
        "%y : f32[T, D] = map [t, d] %w[mod(%h[t] * 3, V), d] * %w[mod(%h[t], 7) + 4, d]",
        "return %y",
      ],
      given: (n, count) => (n.type.dtype === "i32" ? wholes(n.name, count, 2 ** 20) : reals(n.name, count)),
      weights: three,
    },
    {
      subject: "sums of 64 bits of numbers of 32, of those that are chosen",
      sizes: { D: 9 },
      lines: [
        "%x : i32[T, D] = input",
        "%w : i64[D] = weight",
        "%a : i64[T] = map [t] sum[d: D where d <= t](%x[t, d] * 3)",
        "%b : i64[T] = map [t] sum[d: D](select(%w[d] < %a[t], %w[d], %x[t, d]))",
        "%y : i64[T] = map [t] select(%a[t] < sum[d: D](%x[t, d]), %a[t] - %b[t], neg(%b[t]))",
        "return %y",
      ],
      given: (n, count) => (n.type.dtype === "i64" ? wides(n.name, count) : wholes(n.name, count, 2 ** 31)),
    },
    {
      subject: "whole numbers of 64 bits as reals, and of 32 bits",
      sizes: { D: 6 },
      lines: [
        "%x : i64[T, D] = input",
        "%a : i32[T, D] = map [t, d] mod(%x[t, d], 4294967296) - 2147483648",
        "%y : f32[T, D] = map [t, d] exp(%x[t, d] / 9223372036854775808) + %a[t, d] / 65536",
        "return %y",
      ],
    },
    {
      subject: "append of whole numbers of 64 bits",
      lines: [
        "%x : i64[T] = input",
        "%cache : i64[S0] = state",
        "%rows : i64[T] = map [t] %x[t] * 5",
        "%all : i64[S0 + T] = append %rows to %cache[]",
        "%y : i64[T] = map [t] sum[s: S0 + T where s <= t + S0](%all[s])",
        "effect %all",
        "return %y",
      ],
      calls: remembering,
    },
  ];
}
