/** Weights as squares to one scale: the area of a square is its number of parameters. */
import type { BlockInstance, WeightInstance } from "../checker/result.ts";
import { printable } from "../diagnostics/display.ts";
import { countWeight, saysSizes } from "./count-parameters.ts";
import { longCount, shortCount } from "./format-count.ts";
import type { Picture } from "./picture.ts";
import { grid, ink, type Piece, rect, shade } from "./svg-shapes.ts";
import { endLine, faces, type Run, runLine, runsWidth, textWidth } from "./svg-text.ts";

const cellWidth = { least: 200, most: 330 };
const cellHeight = 34;
const gapX = 18;
const gapY = 6;
/** A room shows so many weights; what more it has is counted in one line. */
const limit = 60;

/** Side lengths of the shape that stands for a weight: its own proportions, as far as they stay readable. */
function glyphSize(weight: WeightInstance, picture: Picture): { readonly width: number; readonly height: number } {
  const count = countWeight(weight);
  if (count === null || !(count > 0)) return { width: 0, height: 0 };
  const area = Math.max(4, Math.min(1, count / picture.largestWeight) * picture.largestGlyph ** 2);
  const [rows = 1, ...others] = weight.sizes ?? [];
  const columns = others.reduce((product, size) => product * size, 1);
  const proportion = Math.min(2.5, Math.max(0.4, others.length === 0 ? 1 : columns / rows));
  const height = Math.min(Math.sqrt(area / proportion), picture.largestGlyph * 1.15);
  return { width: area / height, height };
}

export function weightHint(weight: WeightInstance): string {
  const count = countWeight(weight);
  const lines = [
    `weight ${weight.name} : ${weight.shape}${weight.type === "" ? "" : ` ${weight.type}`}`,
    weight.sizes === null ? "" : weight.sizes.join(" x "),
    count === null ? "" : `${longCount(count)} parameters`,
    weight.tensors.join(" or "),
    ...weight.copies.map((copy) => `copy at ${copy}`),
  ];
  return lines
    .filter((line) => line !== "")
    .map(printable)
    .join("\n");
}

function weightCell(
  weight: WeightInstance,
  width: number,
  glyphColumn: number,
  colour: string,
  picture: Picture,
): Piece {
  const count = countWeight(weight);
  const glyph = glyphSize(weight, picture);
  const height = Math.max(cellHeight, glyph.height + 2);
  return {
    height,
    paint: (x, y) => {
      const left = x + (glyphColumn > 0 ? glyphColumn + 10 : 0);
      const right = x + width;
      const middle = y + height / 2;
      const number = count === null ? "" : shortCount(count);
      const numberWidth = textWidth(number, faces.number);
      const type = weight.type === "real" || weight.type === "" ? [] : [weight.type];
      const tensor = weight.tensors[0] ?? "";
      return [
        glyph.width > 0
          ? rect(x + (glyphColumn - glyph.width) / 2, middle - glyph.height / 2, glyph.width, glyph.height, {
              fill: colour,
              radius: Math.min(2, glyph.width / 4),
              hint: weightHint(weight),
            })
          : "",
        runLine(
          left,
          middle - 3,
          [
            { text: weight.name, face: faces.name, fill: ink.text },
            ...type.map((text) => ({ text, face: faces.code, fill: shade(colour, 0.85) })),
            { text: shortTensor(tensor), face: faces.small, fill: ink.muted },
          ],
          8,
          right - left - numberWidth - 8,
        ),
        endLine(right, middle - 3, { text: number, face: faces.number, fill: ink.text }, width),
        runLine(left, middle + 12, shapeRuns(weight), 10, right - left),
      ].join("");
    },
  };
}

/** The end of a checkpoint name is what tells a room's weights apart; pointing at the square shows all of it. */
function shortTensor(tensor: string): string {
  const words = tensor.replace(/\.weight$/, "").split(".");
  const last = words.at(-1) ?? "";
  return last === "bias" && words.length > 1 ? words.slice(-2).join(".") : last;
}

const shapeWidth = (weight: WeightInstance): number => runsWidth(shapeRuns(weight), 10);

function shapeRuns(weight: WeightInstance): readonly Run[] {
  const shape = { text: weight.shape, face: faces.code, fill: ink.muted };
  if (saysSizes(weight)) return [shape];
  return [shape, { text: (weight.sizes ?? []).join(" × "), face: faces.code, fill: ink.text }];
}

export function drawWeights(
  weights: readonly WeightInstance[],
  width: number,
  colour: string,
  picture: Picture,
): Piece {
  const shown = weights.slice(0, limit);
  const glyphColumn = Math.max(0, ...shown.map((weight) => Math.ceil(glyphSize(weight, picture).width)));
  const wanted = Math.max(0, ...shown.map((weight) => shapeWidth(weight))) + glyphColumn + 12;
  const least = Math.min(cellWidth.most, Math.max(cellWidth.least, wanted));
  const perRow = Math.max(1, Math.min(shown.length, Math.floor((width + gapX) / (least + gapX))));
  const each = (width - gapX * (perRow - 1)) / perRow;
  const cells = shown.map((weight) => weightCell(weight, each, glyphColumn, colour, picture));
  if (weights.length > limit) cells.push(restLine(weights.slice(limit), each));
  return grid(cells, perRow, each, gapX, gapY);
}

function restLine(rest: readonly WeightInstance[], width: number): Piece {
  const counts = rest.map((weight) => countWeight(weight));
  const sum = counts.reduce((a, b) => (a === null || b === null ? null : a + b), 0);
  const text = `and ${rest.length} more weights${sum === null ? "" : `, ${shortCount(sum)} together`}`;
  return {
    height: cellHeight,
    paint: (x, y) => runLine(x, y + cellHeight / 2 + 4, [{ text, face: faces.body, fill: ink.muted }], 0, width),
  };
}

/** What a token leaves behind in a block: a band of its own colour. */
export function drawStates(states: BlockInstance["states"], width: number): Piece {
  if (states.length === 0) return { height: 0, paint: () => "" };
  const line = 20;
  const title = "every token leaves";
  const start = textWidth(title, faces.caption) + 22;
  const rows: { readonly name: string; readonly shape: string; readonly width: number }[][] = [[]];
  let used = start;
  for (const state of states.slice(0, limit)) {
    const needed = textWidth(printable(`${state.name} ${state.shape}`), faces.name) + 24;
    const fits = Math.min(needed, width - 24);
    if (used + fits > width - 10 && used > start) {
      rows.push([]);
      used = start;
    }
    rows.at(-1)?.push({ name: state.name, shape: state.shape, width: Math.max(20, Math.min(fits, width - used - 10)) });
    used += fits;
  }
  const height = rows.length * line + 8;
  return {
    height,
    paint: (x, top) => {
      const parts = [
        rect(x, top, width, height, { fill: ink.stateFill, stroke: ink.stateEdge, radius: 7, dash: "4 3" }),
        runLine(x + 10, top + 18, [{ text: title, face: faces.caption, fill: ink.stateText }], 0, width - 20),
      ];
      for (const [i, states] of rows.entries()) {
        let at = x + start;
        for (const state of states) {
          const runs = [
            { text: state.name, face: faces.name, fill: ink.stateText },
            { text: state.shape, face: faces.code, fill: ink.stateText },
          ];
          parts.push(runLine(at, top + 18 + i * line, runs, 6, state.width - 12));
          at += state.width;
        }
      }
      return parts.join("");
    },
  };
}
