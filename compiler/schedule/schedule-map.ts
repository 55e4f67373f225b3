/** The kernel of one map: the first strategy and plan that the verifier proves. */
import type { Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { verify } from "../kernel/verify.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { tilePlans } from "./choose-tile.ts";
import { Unsuitable } from "./lift/lift.ts";
import type { Nest } from "./nest/nest.ts";
import { unfoldedNest } from "./nest/unfold.ts";
import { streamed } from "./streamed.ts";
import { type TileOptions, tile } from "./tile.ts";

export interface Scheduled {
  readonly kernel: Kernel;
  /** The strategy and its numbers. */
  readonly says: string;
  /** Why a better plan was not taken. */
  readonly refused: readonly string[];
}

interface Way {
  readonly says: string;
  readonly make: () => { readonly kernel: Kernel; readonly says: string } | null;
}

export function scheduleNest(nest: Nest, sizes: Sizes, target: KernelTarget, options: TileOptions): Scheduled {
  const refused: string[] = [];
  const unfolded = unfoldedNest(nest);
  const ways: readonly Way[] = [
    ...(unfolded === nest ? [] : [{ says: "streamed", make: () => streamed(nest, sizes, target, options) }]),
    ...tilePlans(unfolded, sizes, target).map((plan) => ({
      says: plan.says,
      make: () => ({ kernel: tile(unfolded, plan, options), says: plan.says }),
    })),
  ];
  for (const { says, make } of ways) {
    try {
      const made = make();
      if (made === null) continue;
      const [problem] = verify(made.kernel, target);
      if (problem === undefined) return { ...made, refused };
      refused.push(`${made.says}: ${problem.message}`);
    } catch (error) {
      if (!(error instanceof Unsuitable)) throw error;
      refused.push(`${says}: ${error.message}`);
    }
  }
  throw new InternalError(`${nest.label}: no plan fits: ${refused.join("; ")}`);
}
