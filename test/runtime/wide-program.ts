/** The small model with weights that are larger than the rows of its sessions: of each layer's stretch one row is read. */
import type { Program, SizeExpr, Step } from "../../runtime/artifact/program.ts";
import { sizes, tinyProgram } from "./tiny-program.ts";

const { D } = sizes;

/** `row` of `height`: the one that is read. */
export function wideProgram(height: number, row: number): Program {
  const offset: SizeExpr = ["+", ["*", "l", height * D], row * D];
  const moved = (step: Step): Step =>
    step.kind === "repeat"
      ? { ...step, body: step.body.map(moved) }
      : { ...step, buffers: step.buffers.map((b) => (b.kind === "weight" && b.weight === 1 ? { ...b, offset } : b)) };
  return {
    ...tinyProgram,
    weights: tinyProgram.weights.map((w) => (w.name === "layer.g" ? { ...w, shape: [height, D] } : w)),
    phases: tinyProgram.phases.map((p) => ({ ...p, steps: p.steps.map(moved) })),
  };
}
