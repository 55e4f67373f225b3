/** What the calls of a phase compute and move, from how its kernels were planned. */
import type { Program, TokenChoice } from "../../runtime/artifact/program.ts";
import type { PhaseReport } from "../driver/compile.ts";
import type { Computed, Node } from "../graph/node.ts";
import { elems } from "../kernel/elem.ts";
import { bytes, flopsAt, picksOf, tiledFlops } from "../target/cost.ts";
import { type CostTarget, roofline } from "../target/target.ts";
import type { PhaseCost } from "./package-facts.ts";

/** Of one call of a kernel, at the sizes that its phase was planned for. */
export interface KernelCost {
  readonly flops: number;
  /** Read and written. */
  readonly bytes: number;
  /** Of these, of weights. Picked experts count once, however many of the tokens pick them. */
  readonly weights: number;
  /** By the roofline: the slower of arithmetic and traffic, and the launch. */
  readonly seconds: number;
}

/** Of each call of a phase, in order. What a second call for the same node moves is counted with the first, a launch with the first of its calls. */
export function kernelCosts(
  { sizes, kernels }: PhaseReport,
  { weights }: Pick<Program, "weights">,
  target: CostTarget,
): readonly KernelCost[] {
  const kept = new Map(weights.map(({ name, elem }) => [name, elems[elem].bytes]));
  const ofWeight = (n: Node): number => (n.kind === "weight" ? (kept.get(n.name) ?? 4) : 0);
  /** Everything but weights is kept in four bytes. */
  const width = (n: Node): number => (n.kind === "weight" ? ofWeight(n) : 4);
  const picks = (n: Node): number => picksOf(n, sizes);
  const [counted, launched] = [new Set<Computed>(), new Set<number>()];
  return kernels.map(({ node, launch }): KernelCost => {
    const [again, alone] = [counted.has(node), !launched.has(launch)];
    counted.add(node);
    launched.add(launch);
    const start = alone ? target.launchSeconds : 0;
    if (again) return { flops: 0, bytes: 0, weights: 0, seconds: start };
    const moved = bytes(node, sizes, width, picks);
    return {
      flops: flopsAt(node, sizes),
      bytes: moved,
      weights: bytes(node, sizes, ofWeight, picks),
      seconds: roofline(target, tiledFlops(node, sizes, target), moved) + start,
    };
  });
}

/** Launches of one run of a phase, where a token is chosen so. */
export const launchesIn = (kernels: PhaseReport["kernels"], choice: TokenChoice = usualChoice): number =>
  [...new Map(playedFor(kernels, choice).map(({ launch, times }) => [launch, times])).values()].reduce(
    (n, times) => n + times,
    0,
  );
/** Kernels of a run where a token is chosen so. */
export const playedFor = <K extends { readonly choice: TokenChoice | null }>(
  kernels: readonly K[],
  choice: TokenChoice = usualChoice,
): readonly K[] => kernels.filter((k) => k.choice === null || k.choice === choice);
/** What costs are told of: sampling, which computes more. */
const usualChoice: TokenChoice = "best";

/** At the sizes that the phase was planned for. */
export function phaseCost(
  report: PhaseReport,
  program: Pick<Program, "weights" | "tokens" | "before">,
  target: CostTarget,
): PhaseCost {
  const { phase, sizes } = report;
  const kernels = playedFor(report.kernels);
  const costs = kernelCosts({ ...report, kernels }, program, target);
  const sum = (of: keyof KernelCost): number =>
    kernels.reduce((total, { times }, i) => total + times * (costs[i]?.[of] ?? 0), 0);
  return {
    phase,
    tokens: sizes[program.tokens] ?? 1,
    before: sizes[program.before] ?? 0,
    kernels: launchesIn(kernels),
    flops: sum("flops"),
    bytes: sum("bytes"),
    weights: sum("weights"),
    seconds: sum("seconds"),
  };
}
