import type { BlockInstance, ModelInstance } from "../checker/result.ts";
import { type Counts, countParameters, countWeight } from "./count-parameters.ts";
import { paletteColour } from "./svg-shapes.ts";

/** What every room of one picture shares. */
export interface Picture {
  readonly counts: Counts;
  readonly colourOf: (block: string) => string;
  /** Parameters of the largest weight, drawn as a square of `largestGlyph` pixels a side. */
  readonly largestWeight: number;
  readonly largestGlyph: number;
}

export function makePicture(model: ModelInstance): Picture {
  const counts = countParameters(model);
  const colours = new Map<string, string>();
  let largestWeight = 1;
  const visit = (part: Pick<BlockInstance, "weights" | "parts">): void => {
    for (const weight of part.weights) largestWeight = Math.max(largestWeight, countWeight(weight) ?? 0);
    for (const block of part.parts) {
      if (!colours.has(block.block)) colours.set(block.block, paletteColour(colours.size + 1));
      visit(block);
    }
  };
  visit({ weights: model.weights, parts: model.blocks });
  return { counts, colourOf: (block) => colours.get(block) ?? paletteColour(0), largestWeight, largestGlyph: 56 };
}
