/** Weights as GPUBuffers: one each, or several where a binding is too small for all of it and steps take stretches of it. */
import { elemBytes } from "../artifact/elems.ts";
import { GpuLimitError } from "../artifact/errors.ts";
import type { Program } from "../artifact/program.ts";
import { weightElements } from "../artifact/weight-sizes.ts";
import { cutWeights } from "../calls/cut-weights.ts";
import { usesOf } from "../calls/step-uses.ts";
import { type GpuLimits, remedies } from "./gpu-limits.ts";

/** Elements at a multiple of which everything starts that is told by its element: what kernels load at a time is no more. */
export const alignment = 16;

/** A stretch of a weight in a buffer of its own. */
export interface WeightPart {
  /** The first element, a multiple of `alignment`. */
  readonly from: number;
  readonly elements: number;
}

/** By weight, in order; neighbours may have up to `alignment` elements in common. Throws GpuLimitError. */
export function planWeights(program: Program, { binding, buffer }: GpuLimits): readonly (readonly WeightPart[])[] {
  const large = program.weights.some((w) => weightElements(w) * elemBytes[w.elem] > binding);
  const cuts = large
    ? cutWeights(
        program,
        program.phases.flatMap((phase) => usesOf(program, phase)),
      )
    : null;
  return program.weights.map((decl, i): readonly WeightPart[] => {
    const [elements, size] = [weightElements(decl), elemBytes[decl.elem]];
    if (elements * size <= binding) return [{ from: 0, elements }];
    // Neighbours stay together while one binding holds them.
    const parts: WeightPart[] = [];
    for (const { from, to } of cuts?.[i] ?? [{ from: 0, to: elements }]) {
      const last = parts.at(-1);
      if (last !== undefined && (to - last.from) * size <= binding) parts.splice(-1, 1, partOf(last.from, to));
      else parts.push(partOf(from, to));
    }
    const largest = Math.max(...parts.map((p) => p.elements * size));
    if (largest > buffer)
      throw new GpuLimitError("maxBufferSize", `weight ${decl.name}`, largest, buffer, remedies.weight);
    return parts;
  });
}

function partOf(first: number, to: number): WeightPart {
  const from = first - (first % alignment);
  return { from, elements: to - from };
}
