/** Reductions, sums of products, and folds. */
import { monoids } from "../../ops/scalar-functions.ts";
import type { CaseCall } from "../graph-case.ts";
import { pairs, remembering, type TextCase, three } from "./text-case.ts";

const lengths = [0, 1, 3, 4, 7, 8, 9, 33];
const guards: readonly (readonly [string, string])[] = [
  ["", ""],
  [" where d <= t", "behind a diagonal"],
  [" where d % 3 == 1", "of every third"],
  [" where %x[t, d] < 0", "of those below 0"],
  [" where d < 0", "of none"],
];
export function reductions(full: boolean): readonly TextCase[] {
  const made: TextCase[] = [];
  for (const monoid of Object.keys(monoids)) {
    const truth = monoid === "any" || monoid === "all";
    const result = truth ? "bool" : "f32";
    for (const [guard, says] of guards)
      for (const D of full ? lengths : [0, 7, 8, 9]) {
        const body = truth ? "%x[t, d] < 0.6" : "%x[t, d]";
        made.push({
          subject: `${monoid}${says === "" ? "" : ` ${says}`}`,
          sizes: { D },
          lines: [
            "%x : f32[T, D] = input",
            `%y : ${result}[T] = map [t] ${monoid}[d: D${guard.replace("%", "%")}](${body})`,
            "return %y",
          ].map((l) => l.replace("d % 3", "mod(d, 3)")),
        });
      }
    const body = truth ? "%z[s] < 0.6" : "%z[s]";
    made.push({
      subject: `${monoid} of rows, of which there may be none`,
      lines: [
        "%z : f32[S0] = input",
        "%x : f32[T] = input",
        `%y : ${result}[T] = map [t] ${monoid}[s: S0](${truth ? `${body} && %x[t] < 0.9` : `${body} * %x[t]`})`,
        "return %y",
      ],
      calls: [0, 1, 3, 4, 8, 9].flatMap((S0) => [1, 5].map((T) => ({ T, S0 }))),
    });
    made.push({
      subject: `${monoid} of a row of a length that a call decides`,
      lines: [
        "%x : f32[T] = input",
        `%y : ${result}[] = map [] ${monoid}[t: T](${body.replace("%z[s]", "%x[t]")})`,
        "return %y",
      ],
      calls: [1, 3, 4, 5, 8, 9, 31, 33].map((T) => ({ T, S0: 0 })),
    });
    if (truth) continue;
    for (const dtype of ["i32", "i64"])
      made.push({
        subject: `${monoid} of whole numbers, ${dtype}`,
        sizes: { D: 9 },
        lines: [`%x : ${dtype}[T, D] = input`, `%y : ${dtype}[T] = map [t] ${monoid}[d: D](%x[t, d])`, "return %y"],
      });
  }
  return made;
}

const calls = [1, 2, 4, 7, 8, 9, 17].map((T) => ({ T, S0: 0 }));
export function contractions(full: boolean): readonly TextCase[] {
  const shapes = full ? pairs([0, 1, 3, 4, 7, 8, 9, 31, 32, 33]) : pairs([0, 8, 9, 33]);
  return [
    ...shapes.map(
      ([D, E]): TextCase => ({
        subject: "sum of products with a weight",
        sizes: { D, E },
        lines: [
          "%x : f32[T, D] = input",
          "%w : f32[E, D] = weight",
          "%y : f32[T, E] = map [t, e] sum[d: D](%x[t, d] * %w[e, d])",
          "return %y",
        ],
        calls,
        weights: three,
      }),
    ),
    ...[3, 8, 9].map(
      (D): TextCase => ({
        subject: "sum of products with a weight that is read by columns",
        sizes: { D, E: D + 3 },
        lines: [
          "%x : f32[T, D] = input",
          "%w : f32[D, E] = weight",
          "%y : f32[T, E] = map [t, e] sum[d: D](%x[t, d] * %w[d, e])",
          "return %y",
        ],
        calls,
        weights: three,
      }),
    ),
    ...[1, 4, 5].map(
      (D): TextCase => ({
        subject: "sum over two axes",
        sizes: { D, E: 3 },
        lines: [
          "%x : f32[T, D, E] = input",
          "%w : f32[E, D] = weight",
          "%y : f32[T] = map [t] sum[d: D, e: E where d <= e](%x[t, d, e] * %w[e, d])",
          "return %y",
        ],
        calls,
        weights: three,
      }),
    ),
    ...[4, 9, 16].map(
      (D): TextCase => ({
        subject: "a reduction inside of what is summed",
        sizes: { D },
        lines: [
          "%x : f32[T, D] = input",
          "%w : f32[D] = weight",
          "%y : f32[T, D] = map [t, d] %x[t, d] * rsqrt(sum[e: D](%x[t, e] * %x[t, e]) / D + 1e-6) * %w[d]",
          "return %y",
        ],
        calls,
        weights: three,
      }),
    ),
    ...[3, 8, 33].map(
      (D): TextCase => ({
        subject: "a causal convolution",
        sizes: { D },
        lines: [
          "%x : f32[T, D] = input",
          "%w : f32[3] = weight",
          "%y : f32[T, D] = map [t, d] sum[k: 3 where k <= t](%x[t - k, d] * %w[k])",
          "return %y",
        ],
        calls,
        weights: three,
      }),
    ),
  ];
}

/** More rows than one tile of a fold. */
const longer: readonly CaseCall[] = [
  { T: 3, S0: 200 },
  { T: 1, S0: 300 },
  { T: 40, S0: 90 },
];
export function folds(full: boolean): readonly TextCase[] {
  return (full ? [1, 3, 4, 8, 9, 16] : [4, 9]).flatMap((D) =>
    ["", " where s <= t + S0", " where s <= t + S0 && t + S0 - s <= 2"].map(
      (guard): TextCase => ({
        subject: `fold: softmax of scores${guard}`,
        sizes: { D },
        lines: [
          "%q : f32[T, D] = input",
          "%k : f32[S0 + T, D] = input",
          "%v : f32[S0 + T, D] = input",
          `%y : f32[T, D] = map [t, e] fold[s: S0 + T${guard}]{ let a = 3 * sum[c: D](%q[t, c] * %k[s, c]); max m = a; sum l = exp(a - m); sum o = %v[s, e] * exp(a - m); yield o / l }`,
          "return %y",
        ],
        calls: [...remembering, ...longer],
      }),
    ),
  );
}
