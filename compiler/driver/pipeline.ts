/** The passes over tensor graphs in order, with what each needs and leaves. */
import { noStrategies, type StrategyOf } from "../directives/placed-rules.ts";
import type { Builder } from "../graph/builder.ts";
import type { Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Graph } from "../graph/node.ts";
import { associate } from "../passes/associate.ts";
import { foldReductions } from "../passes/fold-reductions.ts";
import { fuse } from "../passes/fuse.ts";
import { groupBySelection } from "../passes/group-by-selection.ts";
import { outlineFactors } from "../passes/outline-factors.ts";
import { outlineRows } from "../passes/outline-rows.ts";
import type { Pass, Report } from "../passes/pass.ts";
import { restrictToDemand } from "../passes/restrict-to-demand.ts";
import { selectAll } from "../passes/select-all.ts";
import { simplifyIndices } from "../passes/simplify-indices.ts";
import { splitConcat } from "../passes/split-concat.ts";
import type { CostTarget } from "../target/target.ts";

/** Once for all phases: nothing here asks for sizes. */
export const sharedPasses: readonly Pass[] = [
  simplifyIndices, //   leaves no condition that is decided for all indices
  splitConcat, //       leaves sums over single parts, which are contractions
  outlineRows, //       leaves rows of tables that may be in parts as nodes; on targets that have such
  outlineFactors, //    leaves gated products as nodes: contractions on either side of them are apart
];
/** Once for each range of rows: what they ask is what the graph says of its calls (`bounds`). */
export const rangePasses: readonly Pass[] = [
  selectAll, //         before restrictToDemand: what is not gathered is restricted to nothing
];
/** Their decisions make two programs different (`planOf`); what comes after follows from them and from sizes that matter less. */
export const decidingPasses: readonly Pass[] = [
  restrictToDemand, //  before associate: a gathered axis changes the sizes that it prices
  associate, //         before folds: a fold hides the sum that would be taken apart
  groupBySelection, //  needs work restricted to what is selected; leaves index maps sorted by it
];
/** Once a phase, with its sizes. */
export const phasePasses: readonly Pass[] = [
  ...decidingPasses,
  foldReductions, //    needs softmax as separate nodes; leaves one pass over each reduced axis
  fuse, //              needs all of the above settled; every node it leaves is one kernel
];
export const passes: readonly Pass[] = [...sharedPasses, ...rangePasses, ...phasePasses];

export interface RunOptions {
  readonly builder: Builder;
  /** A number for every name in a size: what plans are made for. */
  readonly sizes: Sizes;
  readonly target: CostTarget;
  /** What a schedule says of nodes; nothing without it. */
  readonly strategy?: StrategyOf;
  /** All of them if not given. */
  readonly passes?: readonly Pass[];
  /** Says what is wrong with a graph; asked after every pass. */
  readonly verify?: (graph: Graph) => readonly string[];
  readonly after?: (pass: Pass, graph: Graph) => void;
}
export interface Passed {
  readonly graph: Graph;
  readonly reports: readonly Report[];
}

/** Runs passes in order. A graph that the verifier objects to is a bug in dsc, named by pass. */
export function runPasses(graph: Graph, options: RunOptions): Passed {
  const { builder, sizes, target, verify, after, strategy = noStrategies } = options;
  const reports: Report[] = [];
  let current = graph;
  for (const pass of options.passes ?? passes) {
    current = pass.run(current, { builder, sizes, target, strategy, report: (r) => void reports.push(r) });
    const problems = verify?.(current) ?? [];
    if (problems.length > 0) throw new InternalError(`after ${pass.name}: ${problems.join("; ")}`);
    after?.(pass, current);
  }
  return { graph: current, reports };
}
