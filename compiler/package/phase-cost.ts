/** What the calls of a phase compute and move, from how its kernels were planned. */
import type { Program } from "../../runtime/artifact/program.ts";
import type { PhaseReport } from "../driver/compile.ts";
import type { Computed, Node } from "../graph/node.ts";
import { elems } from "../kernel/elem.ts";
import { bytes, flopsAt, tiledFlops } from "../target/cost.ts";
import { type CostTarget, roofline } from "../target/target.ts";
import type { PhaseCost } from "./package-facts.ts";

/** At the sizes that the phase was planned for. */
export function phaseCost(
  { phase, sizes, kernels }: PhaseReport,
  { weights, tokens, before }: Pick<Program, "weights" | "tokens" | "before">,
  target: CostTarget,
): PhaseCost {
  const kept = new Map(weights.map(({ name, elem }) => [name, elems[elem].bytes]));
  /** Everything but weights is kept in four bytes. */
  const width = (node: Node): number => (node.kind === "weight" ? (kept.get(node.name) ?? 4) : 4);
  const moved = (node: Computed): number => bytes(node, sizes, width);
  const sum = (of: (node: Computed) => number): number =>
    kernels.reduce((total, kernel) => total + kernel.times * of(kernel.node), 0);
  return {
    phase,
    tokens: sizes[tokens] ?? 1,
    before: sizes[before] ?? 0,
    kernels: sum(() => 1),
    flops: sum((node) => flopsAt(node, sizes)),
    bytes: sum(moved),
    seconds: sum((node) => roofline(target, tiledFlops(node, sizes, target), moved(node)) + target.launchSeconds),
  };
}
