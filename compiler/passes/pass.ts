/** What every pass is: a pure function from graph to graph, and what it says about its decisions. */
import type { StrategyOf } from "../directives/placed-rules.ts";
import type { Builder } from "../graph/builder.ts";
import type { Sizes } from "../graph/dim.ts";
import type { Graph } from "../graph/node.ts";
import type { CostTarget } from "../target/target.ts";

/** A decision as data: `fuse %y into %x_attn: recomputed 1.00 times (cost 0 s, gain 2.01e-6 s)`. */
export interface Report {
  readonly pass: string;
  /** The node it is about, by its name. */
  readonly node: string;
  /** What was done; equal decisions are equal texts, so that plans can be compared. */
  readonly decision: string;
  readonly why: string;
  readonly numbers: Readonly<Record<string, number>>;
}

export interface PassContext {
  readonly builder: Builder;
  /** A number for every name in a size: what a plan is made for. Meaning never depends on it. */
  readonly sizes: Sizes;
  readonly target: CostTarget;
  /** What a schedule says of nodes. */
  readonly strategy: StrategyOf;
  readonly report: (r: Report) => void;
}

/**
 * `exact`: the same operations on the same values in the same order for each element, so results are equal bit for bit.
 * `rounds-differently`: equal in real numbers.
 */
export type Exactness = "exact" | "rounds-differently";

export interface Pass {
  readonly name: string;
  readonly exactness: Exactness;
  readonly run: (graph: Graph, context: PassContext) => Graph;
}

/** One line. */
export function printReport(r: Report): string {
  const numbers = Object.entries(r.numbers).map(([k, v]) => `${k} ${printNumber(v)}`);
  const tail = [r.why, numbers.join(", ")].filter((x) => x !== "").join("; ");
  return `${r.pass}: %${r.node}: ${r.decision}${tail === "" ? "" : ` (${tail})`}`;
}

/** Four significant digits, and an SI prefix in place of an exponent. */
function printNumber(v: number): string {
  if (!Number.isFinite(v) || v === 0) return String(v);
  const steps = [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
    [1, ""],
    [1e-3, "m"],
    [1e-6, "u"],
    [1e-9, "n"],
  ] as const;
  const found = steps.find(([scale]) => Math.abs(v) >= scale) ?? ([1, ""] as const);
  return `${Number((v / found[0]).toPrecision(4))}${found[1]}`;
}
