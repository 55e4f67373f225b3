/** The kernel of one map: the first plan that the verifier proves. */
import type { Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { verify } from "../kernel/verify.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { tilePlans } from "./choose-tile.ts";
import { Unsuitable } from "./lift/lift.ts";
import type { Nest } from "./nest/nest.ts";
import { type TileOptions, tile } from "./tile.ts";

export interface Scheduled {
  readonly kernel: Kernel;
  /** The strategy and its numbers. */
  readonly says: string;
  /** Why a better plan was not taken. */
  readonly refused: readonly string[];
}

export function scheduleNest(nest: Nest, sizes: Sizes, target: KernelTarget, options: TileOptions): Scheduled {
  const refused: string[] = [];
  for (const plan of tilePlans(nest, sizes, target)) {
    try {
      const kernel = tile(nest, plan, options);
      const [problem] = verify(kernel, target);
      if (problem === undefined) return { kernel, says: plan.says, refused };
      refused.push(`${plan.says}: ${problem.message}`);
    } catch (error) {
      if (!(error instanceof Unsuitable)) throw error;
      refused.push(`${plan.says}: ${error.message}`);
    }
  }
  throw new InternalError(`${nest.label}: no plan fits: ${refused.join("; ")}`);
}
