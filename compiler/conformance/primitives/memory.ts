/** States, repeats, rows of tables, and maps that only move numbers. */
import { reals, wholes } from "../seeded-values.ts";
import { remembering, type TextCase, three } from "./text-case.ts";

export function memory(full: boolean): readonly TextCase[] {
  return (full ? [0, 1, 3, 4, 8, 9] : [3, 8]).flatMap((D): readonly TextCase[] => [
    {
      subject: "append",
      sizes: { D },
      lines: [
        "%x : f32[T, D] = input",
        "%cache : f32[S0, D] = state",
        "%rows : f32[T, D] = map [t, d] tanh(%x[t, d])",
        "%all : f32[S0 + T, D] = append %rows to %cache[]",
        "%y : f32[T, D] = map [t, d] sum[s: S0 + T where s <= t + S0](%all[s, d])",
        "effect %all",
        "return %y",
      ],
      calls: remembering,
    },
    {
      subject: "append of what was given",
      sizes: { D },
      lines: [
        "%x : f32[T, D] = input",
        "%cache : f32[S0, D] = state",
        "%all : f32[S0 + T, D] = append %x to %cache[]",
        "%y : f32[D] = map [d] max[s: S0 + T](%all[s, d])",
        "effect %all",
        "return %y",
      ],
      calls: remembering,
    },
    ...[1, 2, 3].map(
      (L): TextCase => ({
        subject: "repeat with memory and weights of each round",
        sizes: { D, L },
        lines: [
          "%x : f32[T, D] = input",
          "%cache : f32[L, S0, D] = state",
          "%w : f32[L, D, D] = weight",
          "%y : f32[T, D] = repeat L from %x with %h, %l {",
          "  %rows : f32[T, D] = map [t, d] sum[e: D](%h[t, e] * %w[%l[], d, e])",
          "  %all : f32[S0 + T, D] = append %rows to %cache[%l[]]",
          "  %next : f32[T, D] = map [t, d] tanh(%h[t, d] + sum[s: S0 + T where s <= t + S0](%all[s, d])) * (%l[] + 1)",
          "  effect %all",
          "  yield %next",
          "}",
          "return %y",
        ],
        calls: remembering,
        weights: three,
      }),
    ),
    {
      subject: "a repeat whose first value is read behind it, too",
      sizes: { D },
      lines: [
        "%x : f32[T, D] = input",
        "%a : f32[T, D] = map [t, d] sum[e: D](%x[t, e] * tanh(%x[t, d]))",
        "%r : f32[T, D] = repeat 2 from %a with %h, %l {",
        "  %next : f32[T, D] = map [t, d] tanh(%h[t, d] + sum[e: D](%h[t, e]) * (%l[] + 1))",
        "  yield %next",
        "}",
        "%y : f32[T, D] = map [t, d] %r[t, d] * sum[e: D](%a[t, e])",
        "return %y",
      ],
    },
    ...[3, 9, 12].map(
      (N): TextCase => ({
        subject: "a map over a short axis of fixed length",
        sizes: { N },
        lines: ["%x : f32[N] = input", "%w : f32[N] = weight", "%y : f32[N] = map [n] %x[n] * %w[n] + n", "return %y"],
        weights: three,
      }),
    ),
    {
      subject: "gather of rows",
      sizes: { D, V: 7 },
      lines: [
        "%ids : i32[T] = input",
        "%w : f32[V, D] = weight",
        "%y : f32[T, D] = map [t, d] %w[%ids[t], d]",
        "return %y",
      ],
      given: (n, count) => (n.type.dtype === "i32" ? wholes(n.name, count, 7) : reals(n.name, count)),
      weights: three,
    },
    {
      subject: "select of two parts",
      sizes: { D, E: 5 },
      lines: [
        "%x : f32[T, D] = input",
        "%z : f32[T, E] = input",
        "%y : f32[T, D + E] = map [t, c] select(c < D, %x[t, c], %z[t, c - D])",
        "return %y",
      ],
    },
    {
      subject: "select by what is given",
      sizes: { D },
      lines: [
        "%x : f32[T, D] = input",
        "%y : f32[T, D] = map [t, d] select(%x[t, d] < 0, %x[t, d] * 0.01, sqrt(%x[t, d]))",
        "return %y",
      ],
    },
    {
      subject: "reversed, transposed and of a scalar",
      sizes: { D },
      lines: [
        "%x : f32[T, D] = input",
        "%s : f32[] = weight",
        "%y : f32[D, T] = map [d, t] %x[t, D - 1 - d] * %s[]",
        "return %y",
      ],
      weights: three,
    },
  ]);
}
