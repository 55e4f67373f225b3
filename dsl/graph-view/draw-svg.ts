/** A model as a picture: `dsc graph --svg`. The same model gives the same bytes. */
import type { ModelInstance } from "../checker/result.ts";
import { printable } from "../diagnostics/display.ts";
import { drawHeader, drawTokenMemory } from "./draw-header.ts";
import { drawParts } from "./draw-room.ts";
import { drawWeights } from "./draw-weights.ts";
import { makePicture, type Picture } from "./picture.ts";
import { column, ink, type Piece, paletteColour, rect } from "./svg-shapes.ts";
import { escapeXml, faceStyles, faces, runLine } from "./svg-text.ts";

const width = 1200;
const margin = 30;

export function drawSvg(model: ModelInstance): string {
  const picture = makePicture(model);
  const inside = width - 2 * margin;
  const page = column(
    [
      drawHeader(model, inside, picture),
      drawOwnWeights(model, inside, picture),
      drawParts(model.blocks, inside, picture, true),
      drawTokenMemory(model, inside),
      drawFootnote(model, inside),
    ],
    18,
  );
  const height = Math.ceil(page.height + 2 * margin);
  const name = escapeXml(printable(model.name));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}">`,
    `<title>${name}</title>`,
    `<style>${faceStyles}</style>`,
    rect(0.5, 0.5, width - 1, height - 1, { fill: ink.paper, stroke: ink.edge, radius: 16 }),
    page.paint(margin, margin),
    "</svg>",
    "",
  ].join("\n");
}

/** Weights that belong to no block: embeddings and the head. */
function drawOwnWeights(model: ModelInstance, inside: number, picture: Picture): Piece {
  if (model.weights.length === 0) return { height: 0, paint: () => "" };
  const weights = drawWeights(model.weights, inside - 28, paletteColour(0), picture);
  return {
    height: weights.height + 24,
    paint: (x, y) =>
      rect(x, y, inside, weights.height + 24, { fill: ink.white, stroke: ink.edge, radius: 12 }) +
      weights.paint(x + 14, y + 12),
  };
}

/** How to read it. */
function drawFootnote(model: ModelInstance, inside: number): Piece {
  const counted = model.bound ? "The area of a square is the weight's number of parameters, to one scale. " : "";
  const text = `${counted}Stacked cards stand for equal blocks. Colours tell library blocks apart; dashed frames are optional.`;
  return {
    height: 14,
    paint: (x, y) => runLine(x, y + 10, [{ text, face: faces.small, fill: ink.muted }], 0, inside),
  };
}
