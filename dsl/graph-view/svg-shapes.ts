/** Shapes and colours of the picture. It brings its own paper, so it reads the same on a light and on a dark page. */
import { escapeXml, round } from "./svg-text.ts";

export const ink = {
  paper: "#fbfaf7",
  edge: "#e2ddd2",
  text: "#1f2430",
  muted: "#5f6777",
  white: "#ffffff",
  chip: "#f1eee7",
  stateFill: "#fff4d6",
  stateEdge: "#e0b64a",
  stateText: "#7a5600",
} as const;

/** Library blocks take these in the order in which they first appear. */
const palette = [
  "#4f5bd5",
  "#0f8b8d",
  "#d9532c",
  "#8e44ad",
  "#3f8f3a",
  "#2274a5",
  "#c2185b",
  "#7d6608",
  "#5c6b7a",
  "#8d5b4c",
] as const;

export const paletteColour = (i: number): string => palette[i % palette.length] ?? palette[0];

/** `share` of the colour, the rest white. */
export function tint(colour: string, share: number): string {
  return mix(colour, 255, share);
}

/** `share` of the colour, the rest black. */
export function shade(colour: string, share: number): string {
  return mix(colour, 0, share);
}

function mix(colour: string, other: number, share: number): string {
  const channel = (at: number): string => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16);
    return Math.round(value * share + other * (1 - share))
      .toString(16)
      .padStart(2, "0");
  };
  return `#${channel(1)}${channel(3)}${channel(5)}`;
}

export interface RectStyle {
  readonly fill: string;
  readonly stroke?: string;
  readonly radius?: number;
  readonly dash?: string;
  /** Shown when one points at the shape. */
  readonly hint?: string;
}

export function rect(x: number, y: number, width: number, height: number, style: RectStyle): string {
  const stroke = style.stroke === undefined ? "" : ` stroke="${style.stroke}"`;
  const dash = style.dash === undefined ? "" : ` stroke-dasharray="${style.dash}"`;
  const radius = style.radius === undefined ? "" : ` rx="${round(style.radius)}"`;
  const open = `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"${radius} fill="${style.fill}"${stroke}${dash}`;
  return style.hint === undefined ? `${open}/>` : `${open}><title>${escapeXml(style.hint)}</title></rect>`;
}

/** A piece of the picture whose width was decided before and whose height follows from it. */
export interface Piece {
  readonly height: number;
  /** Paints itself; `height` may be greater than its own, to stand flush with a neighbour. */
  readonly paint: (x: number, y: number, height?: number) => string;
}

/** Pieces under each other, `gap` apart. */
export function column(pieces: readonly Piece[], gap: number): Piece {
  const shown = pieces.filter((piece) => piece.height > 0);
  const height = shown.reduce((total, piece, i) => total + piece.height + (i > 0 ? gap : 0), 0);
  return {
    height,
    paint: (x, y) => {
      let at = y;
      return shown
        .map((piece) => {
          const painted = piece.paint(x, at);
          at += piece.height + gap;
          return painted;
        })
        .join("\n");
    },
  };
}

/** Pieces of equal width beside each other, all as tall as the tallest. */
export function row(pieces: readonly Piece[], width: number, gap: number): Piece {
  const height = Math.max(0, ...pieces.map((piece) => piece.height));
  return {
    height,
    paint: (x, y) => pieces.map((piece, i) => piece.paint(x + i * (width + gap), y, height)).join("\n"),
  };
}

/** A grid of equally wide pieces, row by row. */
export function grid(pieces: readonly Piece[], perRow: number, width: number, gapX: number, gapY: number): Piece {
  const rows: Piece[] = [];
  for (let i = 0; i < pieces.length; i += perRow) rows.push(row(pieces.slice(i, i + perRow), width, gapX));
  return column(rows, gapY);
}
