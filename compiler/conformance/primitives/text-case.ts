/** Cases that are told as a graph in text form. */
import { Builder } from "../../graph/builder.ts";
import { evalDim, type Sizes } from "../../graph/dim.ts";
import { InternalError } from "../../graph/internal-error.ts";
import { countOf } from "../../graph/interpret/tensor.ts";
import type { Param } from "../../graph/node.ts";
import { parse } from "../../graph/parse.ts";
import type { CaseCall, CaseGraph, GraphCase, Weights } from "../graph-case.ts";
import { reals, wholes, wides } from "../seeded-values.ts";

export type Given = (n: Param, count: number, sizes: Sizes) => readonly number[] | readonly bigint[];

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

/** Types that real weights are kept in. */
export const three: readonly Weights[] = ["f32", "bf16", "f16"];

export const pairs = <T>(values: readonly T[]): readonly (readonly [T, T])[] =>
  values.flatMap((x) => values.map((y) => [x, y] as const));
