/** The kernel of one map: the first strategy and plan that the verifier proves. */
import { DirectiveError } from "../directives/directive-error.ts";
import type { StrategyRule } from "../directives/directives.ts";
import type { Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import { loweringProblems } from "../kernel/lower/lower.ts";
import { OneOfEach } from "../kernel/one-of-each.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { oneByOne, tiledPlan, tilePlans } from "./choose-tile.ts";
import { Unsuitable } from "./lift/lift.ts";
import { joinedSums } from "./nest/join-sums.ts";
import type { Nest } from "./nest/nest.ts";
import { unfoldedNest } from "./nest/unfold.ts";
import { windowOf } from "./nest/windows.ts";
import { streamed } from "./streamed.ts";
import { tile } from "./tile.ts";
import { planText, type TileOptions, type TilePlan } from "./tile-plan.ts";

export interface Scheduled {
  readonly kernel: Kernel;
  /** What is called before it, and what that leaves for it: both have buffers of these names (`buffersOf`), "made", and this one. */
  readonly ahead: Ahead | null;
  /** The strategy and its numbers. */
  readonly says: string;
  /** Why a better plan was not taken. */
  readonly refused: readonly string[];
}

export interface Ahead {
  readonly kernel: Kernel;
  readonly name: string;
  /** Elements, f32. */
  readonly extent: Expr;
}

interface Way {
  readonly says: string;
  readonly make: () => Omit<Scheduled, "refused"> | null;
}

export interface ScheduleOptions extends TileOptions {
  /** What the text says of it. */
  readonly rule?: StrategyRule | null;
  /** Kernels that were made before: what is equal to one of them is that one. */
  readonly each?: OneOfEach;
  /** Takes the best plan on trust: whether there is a proof is seen to later. */
  readonly unproved?: boolean;
  /** Kernels of this nest that were made in tiles, by the text of the plan: it may have been planned for other sizes. */
  readonly tiled?: Map<string, Kernel>;
}

export function scheduleNest(nest: Nest, sizes: Sizes, target: KernelTarget, options: ScheduleOptions): Scheduled {
  const { rule = null, each = new OneOfEach(), unproved = false } = options;
  const refused: string[] = [];
  const ways = waysFor(nest, sizes, target, options);
  for (const { says, make } of ways) {
    try {
      const made = make();
      if (made === null) continue;
      const kernel = each.of(made.kernel);
      const ahead = made.ahead === null ? null : { ...made.ahead, kernel: each.of(made.ahead.kernel) };
      const proved = unproved ? [] : [kernel, ...(ahead === null ? [] : [ahead.kernel])];
      const [problem] = proved.flatMap((k) => loweringProblems(k, target));
      if (problem === undefined) return { kernel, ahead, says: made.says, refused };
      refused.push(`${made.says}: ${problem.message}`);
    } catch (error) {
      if (!(error instanceof Unsuitable)) throw error;
      refused.push(`${says}: ${error.message}`);
    }
  }
  if (rule !== null && rule.strategy.kind !== "apart") throw new DirectiveError(refused.join("; "), rule.at);
  throw new InternalError(`${nest.label}: no plan fits: ${refused.join("; ")}`);
}

/** Best first; those that the text asks for, where it asks for some. */
function waysFor(nest: Nest, sizes: Sizes, target: KernelTarget, options: ScheduleOptions): readonly Way[] {
  const { rule = null, tiled = new Map<string, Kernel>() } = options;
  const plain = unfoldedNest(nest);
  const unfolded = target.lanes > 1 ? joinedSums(plain) : plain;
  const inTiles = (says: string, plan: () => TilePlan): Way => ({
    says,
    make: () => {
      const made = plan();
      const text = planText(made);
      const kernel = tiled.get(text) ?? tile(unfolded, made, options);
      tiled.set(text, kernel);
      return { kernel, says: made.says, ahead: null };
    },
  });
  const folds = plain !== nest;
  const onePass = (apart: boolean): Way => ({
    says: "streamed",
    make: () => {
      if (windowOf(nest) !== null) throw new Unsuitable("launches have some pieces of its weights at hand");
      return streamed(nest, sizes, target, { ...options, apart });
    },
  });
  const inOnePass = target.lanes > 1 ? [onePass(true), onePass(false)] : [onePass(false)];
  const plans = (): readonly Way[] => tilePlans(unfolded, sizes, target).map((plan) => inTiles(plan.says, () => plan));
  const asked = rule?.strategy;
  switch (asked?.kind) {
    case "one_by_one":
      return [inTiles("one by one", () => oneByOne(unfolded))];
    case "tiled":
      return [inTiles("tiled", () => tiledPlan(unfolded, sizes, target, asked))];
    case "streamed":
      return folds ? inOnePass : [noFold];
    case "unstreamed":
      return folds ? plans() : [noFold];
    case "apart":
    case "fused":
    case undefined:
      return [...(folds ? inOnePass : []), ...plans()];
    default:
      return asked satisfies never;
  }
}
const noFold: Way = {
  says: "streamed",
  make: () => {
    throw new Unsuitable("no softmax is computed in it in one pass");
  },
};
