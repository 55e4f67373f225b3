/** A case for every primitive of the graph: scalar functions, reductions, folds, selections, sorts, memory and repeats. */
import { Builder } from "../graph/builder.ts";
import { evalDim, type Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import { countOf } from "../graph/interpret/tensor.ts";
import type { Param } from "../graph/node.ts";
import { parse } from "../graph/parse.ts";
import { monoids, type ScalarFn, scalarFunctions } from "../ops/scalar-functions.ts";
import type { CaseCall, CaseGraph, GraphCase, Weights } from "./graph-case.ts";
import { edges, reals, wholes, wides } from "./seeded-values.ts";

type Given = (n: Param, count: number, sizes: Sizes) => readonly number[] | readonly bigint[];

export interface TextCase {
  readonly subject: string;
  readonly sizes?: Readonly<Record<string, number>>;
  /** Nodes of a graph in text form, and what it returns. */
  readonly lines: readonly string[];
  readonly given?: Given;
  readonly calls?: readonly CaseCall[];
  readonly weights?: readonly Weights[];
}

const often: readonly CaseCall[] = [1, 3, 8, 9, 17].map((T) => ({ T, S0: 0 }));
/** Rows grow, some are forgotten, rows grow again. */
export const remembering: readonly CaseCall[] = [
  { T: 1, S0: 0 },
  { T: 9, S0: 1 },
  { T: 3, S0: 4 },
  { T: 1, S0: 7 },
  { T: 8, S0: 8 },
];

/** Values of params that a case says nothing of. */
function usual(n: Param, count: number): readonly number[] | readonly bigint[] {
  const { dtype } = n.type;
  if (dtype === "bool") return wholes(n.name, count, 2);
  if (dtype === "i64") return wides(n.name, count);
  return dtype === "f32" || dtype === "f64" ? reals(n.name, count) : wholes(n.name, count, 4);
}

export function textCase(c: TextCase): GraphCase {
  const sizes = Object.entries(c.sizes ?? {});
  const text = [
    "graph @case {",
    "  size S0 in 0..4096",
    "  size T in 1..4096",
    ...sizes.map(([n, v]) => `  size ${n} = ${v}`),
    ...c.lines.map((l) => `  ${l}`),
    "}",
    "",
  ].join("\n");
  const make = (): CaseGraph => {
    const builder = new Builder();
    const parsed = parse(text, builder);
    if (!parsed.ok) throw new InternalError(`${c.subject} ${parsed.line}:${parsed.column}: ${parsed.message}\n${text}`);
    const given = (n: Param, at: Sizes): readonly number[] | readonly bigint[] =>
      (c.given ?? usual)(n, countOf(n.type.dims.map((d) => evalDim(d, at))), at);
    return { graph: parsed.graph, builder, given };
  };
  return {
    kind: "primitive",
    subject: c.subject,
    sizes: sizes.map(([n, v]) => `${n}=${v}`).join(" "),
    calls: c.calls ?? often,
    weights: c.weights ?? ["f32"],
    make,
  };
}

// Scalar functions
const truths: ReadonlySet<ScalarFn> = new Set(["and", "or", "not"]);
const tests: ReadonlySet<ScalarFn> = new Set(["lt", "le", "eq", "and", "or", "not"]);
/** Products of two fit. */
const wholeEdges: readonly number[] = [0, 1, -1, 2, -2, 3, 7, -7, 8, 255, -256, 4095, 32767, -32768];
/** Around the ends of 32 bits, of what a double holds, and of 64 bits. */
const wideEdges: readonly bigint[] = [
  ...[0n, 1n, -1n, 3n, -7n, 255n, 2n ** 31n, -(2n ** 31n), 2n ** 32n + 5n, 2n ** 53n + 1n, -(2n ** 62n) - 3n],
  ...[2n ** 63n - 1n, -(2n ** 63n)],
];
const pairs = <T>(values: readonly T[]): readonly (readonly [T, T])[] =>
  values.flatMap((x) => values.map((y) => [x, y] as const));

const ordinary = [...reals("ordinary", 100), ...reals("larger", 100, 20)];
function scalarCases(): readonly TextCase[] {
  const made: TextCase[] = [];
  for (const [fn, { arity }] of Object.entries(scalarFunctions)) {
    const name = fn as ScalarFn;
    if (name === "select") continue;
    const result = tests.has(name) ? "bool" : "f32";
    const whole = [
      "add",
      "sub",
      "mul",
      "floordiv",
      "mod",
      "xor",
      "maximum",
      "minimum",
      "neg",
      "abs",
      "sign",
      "lt",
      "le",
      "eq",
    ];
    if (truths.has(name)) made.push(applied(name, arity, "bool", "bool", [0, 1]));
    else if (name !== "xor")
      made.push(applied(name, arity, "f32", result, arity === 1 ? [...edges, ...ordinary] : edges));
    if (!whole.includes(name)) continue;
    made.push(applied(name, arity, "i32", tests.has(name) ? "bool" : "i32", wholeEdges));
    made.push(applied(name, arity, "i64", tests.has(name) ? "bool" : "i64", wideEdges));
  }
  return made;
}
function applied<T extends number | bigint>(
  fn: ScalarFn,
  arity: number,
  dtype: string,
  result: string,
  values: readonly T[],
): TextCase {
  const zeroDivides = (dtype === "i32" || dtype === "i64") && (fn === "floordiv" || fn === "mod");
  const taken = (arity === 2 ? pairs(values) : values.map((x) => [x, x] as const)).filter(
    ([, y]) => !zeroDivides || Number(y) !== 0,
  );
  const args = arity === 2 ? "%x[t], %z[t]" : "%x[t]";
  const given: Given = (n, count) =>
    Array.from(
      { length: count },
      (_, i) => taken[(i + (count < taken.length ? 5 * count : 0)) % taken.length]?.[n.name === "x" ? 0 : 1],
    ) as readonly number[] | readonly bigint[];
  return {
    subject: `${fn} of ${dtype}`,
    lines: [
      `%x : ${dtype}[T] = input`,
      ...(arity === 2 ? [`%z : ${dtype}[T] = input`] : []),
      `%y : ${result}[T] = map [t] ${spelled(fn, args)}`,
      "return %y",
    ],
    given,
    calls: [1, 7, 8, 9, taken.length].map((T) => ({ T, S0: 0 })),
  };
}
const infix: Partial<Record<ScalarFn, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  lt: "<",
  le: "<=",
  eq: "==",
  and: "&&",
  or: "||",
};
function spelled(fn: ScalarFn, args: string): string {
  const sign = infix[fn];
  const [a, b] = args.split(", ");
  return sign === undefined || b === undefined ? `${fn}(${args})` : `${a} ${sign} ${b}`;
}

// Reductions
const lengths = [0, 1, 3, 4, 7, 8, 9, 33];
const guards: readonly (readonly [string, string])[] = [
  ["", ""],
  [" where d <= t", "behind a diagonal"],
  [" where d % 3 == 1", "of every third"],
  [" where %x[t, d] < 0", "of those below 0"],
  [" where d < 0", "of none"],
];
function reductions(full: boolean): readonly TextCase[] {
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

const three: readonly Weights[] = ["f32", "bf16", "f16"];
const calls = [1, 2, 4, 7, 8, 9, 17].map((T) => ({ T, S0: 0 }));
function contractions(full: boolean): readonly TextCase[] {
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
function folds(full: boolean): readonly TextCase[] {
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

/** Equal keys, infinite ones and nans among others. */
const keys: Given = (n, count) => {
  if (n.type.dtype === "i32") return wholes(n.name, count, 5);
  const special = [0.5, 0.5, -0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e-40];
  const at = wholes(`${n.name} at`, count, 20);
  return reals(n.name, count).map((x, i) => special[at[i] ?? 0] ?? x);
};
function selections(full: boolean): readonly TextCase[] {
  const made: TextCase[] = [];
  for (const N of full ? [8, 9, 40, 300] : [9, 40])
    for (const K of full ? [1, 2, 8, 33, 256] : [1, 8, 33])
      for (const guard of ["", " where n <= 3 * t"])
        if (K <= N)
          made.push({
            subject: `top_k${guard}`,
            sizes: { N, K },
            lines: ["%x : f32[T, N] = input", `%y : i32[T, K] = top_k [t] n: N${guard} by %x[t, n]`, "return %y"],
            given: keys,
          });
  made.push(
    {
      subject: "top_k of remembered rows",
      sizes: { K: 2 },
      lines: [
        "%x : f32[T] = input",
        "%z : f32[S0 + T] = input",
        "%y : i32[T, K] = top_k [t] s: S0 + T where s <= t + S0 by %z[s] * %x[t]",
        "return %y",
      ],
      calls: remembering,
    },
    ...["f32", "i32"].map(
      (dtype): TextCase => ({
        subject: `argsort of ${dtype}`,
        lines: [`%x : ${dtype}[T] = input`, "%y : i32[T] = argsort t: T by %x[t]", "return %y"],
        given: keys,
        calls: [1, 2, 7, 8, 9, 100, 300].map((T) => ({ T, S0: 0 })),
      }),
    ),
    {
      subject: "rows sorted by a key, and back",
      sizes: { D: 5 },
      lines: [
        "%x : f32[T, D] = input",
        "%p : i32[T] = argsort t: T by %x[t, 0]",
        "%q : i32[T] = argsort t: T by %p[t]",
        "%m : f32[T, D] = map [t, d] %x[%p[t], d] * 2",
        "%y : f32[T, D] = map [t, d] %m[%q[t], d]",
        "return %y",
      ],
    },
  );
  return made;
}

/** Arithmetic of 64 bits around what is none: constants, indices, numbers of 32 bits, sums, reals, rows of a table. */
function wideNumbers(): readonly TextCase[] {
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

function memory(full: boolean): readonly TextCase[] {
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

export const primitiveCases = (full: boolean): readonly GraphCase[] =>
  [
    ...scalarCases(),
    ...reductions(full),
    ...contractions(full),
    ...folds(full),
    ...selections(full),
    ...wideNumbers(),
    ...memory(full),
  ].map(textCase);
