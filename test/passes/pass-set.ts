/** The passes by name: the real ones, or those of a copy of their sources in which a fault was planted. */
import { associate, associateWith } from "../../compiler/passes/associate.ts";
import { foldReductions } from "../../compiler/passes/fold-reductions.ts";
import { fuse } from "../../compiler/passes/fuse.ts";
import { groupBySelection } from "../../compiler/passes/group-by-selection.ts";
import { groupBy } from "../../compiler/passes/grouping/group-by.ts";
import { outlineFactors } from "../../compiler/passes/outline-factors.ts";
import { outlineRows } from "../../compiler/passes/outline-rows.ts";
import type { Pass } from "../../compiler/passes/pass.ts";
import { restrictToDemand } from "../../compiler/passes/restrict-to-demand.ts";
import { selectAll } from "../../compiler/passes/select-all.ts";
import { simplifyIndices } from "../../compiler/passes/simplify-indices.ts";
import { splitConcat } from "../../compiler/passes/split-concat.ts";

export const realPasses = {
  associate,
  associateWith,
  foldReductions,
  fuse,
  groupBy,
  groupBySelection,
  outlineFactors,
  outlineRows,
  restrictToDemand,
  selectAll,
  simplifyIndices,
  splitConcat,
};
export type PassSet = typeof realPasses;

/** All of them in the order of the pipeline. */
export const pipelineOf = (p: PassSet): readonly Pass[] => [
  p.simplifyIndices,
  p.splitConcat,
  p.outlineRows,
  p.outlineFactors,
  p.selectAll,
  p.restrictToDemand,
  p.associate,
  p.groupBySelection,
  p.foldReductions,
  p.fuse,
];
