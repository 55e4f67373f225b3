/** Reads of weights so large that a launch may have some pieces of them at hand (schedule/nest/windows.ts). */
import { evalDim } from "../graph/dim.ts";
import type { Read, Scalar } from "../graph/node.ts";
import { some } from "../graph/scalar.ts";
import type { PassContext } from "./pass.ts";

export interface LargeRead {
  /** Says the piece. */
  readonly at: Scalar;
  /** Pieces that there are. */
  readonly count: number;
  /** Extents of a piece. */
  readonly piece: readonly number[];
}

/** Null where the weight is not as large. Indices of rounds say which weight it is, and no piece. */
export function largeRead(
  { value, at }: Read,
  { sizes, target: { windowElements } }: Pick<PassContext, "sizes" | "target">,
): LargeRead | null {
  if (value.kind !== "weight" || windowElements === null) return null;
  const rounds = at.findIndex((x) => !some(x, (y) => y.kind === "read" && y.value.kind === "loop_index"));
  if (rounds < 0) return null;
  const dims = value.type.dims.slice(rounds).map((d) => evalDim(d, sizes));
  const first = dims.findIndex((d) => d > 1);
  const [which, count] = [at[rounds + first], dims[first]];
  if (which === undefined || count === undefined || dims.reduce((n, d) => n * d, 1) < windowElements) return null;
  return { at: which, count, piece: dims.slice(first + 1).filter((d) => d > 1) };
}

export const isLookedUp = ({ at }: LargeRead): boolean => some(at, (x) => x.kind === "read");
