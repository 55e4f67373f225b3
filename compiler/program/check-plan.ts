/** Holds the memory plan of a phase against its lifetimes: a plan in which two live buffers meet is a bug of dsc. */
import { type MemoryPlan, overlaps, planMemory } from "../../runtime/artifact/plan-memory.ts";
import type { Phase } from "../../runtime/artifact/program.ts";
import { evalSize } from "../../runtime/artifact/size-expr.ts";
import type { Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import { elems } from "../kernel/elem.ts";

/** The plan for calls of these sizes. */
export function checkedPlan({ name, buffers }: Phase, sizes: Sizes): MemoryPlan {
  const living = buffers.map((b) => ({
    bytes: evalSize(b.size, (n) => sizes[n]) * elems[b.elem].bytes,
    live: b.live,
  }));
  const plan = planMemory(living);
  const [pair] = overlaps(living, plan);
  if (pair === undefined) return plan;
  const [a, b] = pair.map((i) => buffers[i]?.name);
  throw new InternalError(`phase ${name}: %${a} and %${b} live together in one place`);
}
