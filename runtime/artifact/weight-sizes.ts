/** Elements and bytes of a weight, all of its stacks. */
import { elemBytes } from "./elems.ts";
import type { WeightDecl } from "./program.ts";

export const weightElements = (w: Pick<WeightDecl, "stacks" | "shape">): number =>
  [...w.stacks, ...w.shape].reduce((n, extent) => n * extent, 1);
export const weightBytes = (w: WeightDecl): number => weightElements(w) * elemBytes[w.elem];
