/** A block as a rounded room: its title, what it takes and gives, its weights, the rooms inside it, what it leaves behind. */
import type { BlockInstance } from "../checker/result.ts";
import { printable } from "../diagnostics/display.ts";
import { copiesOf } from "./count-parameters.ts";
import { drawStates, drawWeights, weightHint } from "./draw-weights.ts";
import { percent, shortCount } from "./format-count.ts";
import { familyCondition, familyIndex, groupVariants, type Variants } from "./group-variants.ts";
import type { Picture } from "./picture.ts";
import { column, grid, ink, type Piece, rect, shade, tint } from "./svg-shapes.ts";
import { endLine, faces, type Run, runLine, runsWidth, textWidth, wrapText } from "./svg-text.ts";

const pad = 12;
const platePad = 10;
const gap = 10;
const titleHeight = 22;
/** How far the cards behind the first one of a family look out. */
const stackOffset = 5;
const partLimit = 80;
/** A room narrower than this says how much it holds instead of showing it. */
const narrowest = 200;

const leastWidth = { plate: 200, leaf: 250, room: 440 } as const;
type Size = keyof typeof leastWidth;

/** A plate is a room so small that its title says nearly all: a norm, an activation. */
function sizeOf(block: BlockInstance): Size {
  if (block.parts.length > 0) return "room";
  const small = block.weights.length <= 2 && block.weights.every((weight) => !weight.shape.includes(","));
  return small && block.states.length === 0 && block.family === null ? "plate" : "leaf";
}

/** The parts in their order, small ones side by side. Those of the model itself say which share of it they are. */
export function drawParts(blocks: readonly BlockInstance[], width: number, picture: Picture, top = false): Piece {
  const groups = groupVariants(blocks);
  const shelves: { readonly size: Size; readonly groups: Variants[] }[] = [];
  for (const group of groups.slice(0, partLimit)) {
    const size = group.others.length > 0 ? "room" : sizeOf(group.first);
    const last = shelves.at(-1);
    if (last !== undefined && last.size === size && size !== "room") last.groups.push(group);
    else shelves.push({ size, groups: [group] });
  }
  const pieces = shelves.map((shelf) => {
    const perRow = columnsFor(shelf.groups.length, width, leastWidth[shelf.size]);
    const each = (width - gap * (perRow - 1)) / perRow;
    return grid(
      shelf.groups.map((group) => drawGroup(group, each, { picture, top })),
      perRow,
      each,
      gap,
      gap,
    );
  });
  if (groups.length > partLimit) pieces.push(note(`and ${groups.length - partLimit} more parts`, width));
  return column(pieces, gap);
}

/** As many columns as fit, but no more than make the rows even. */
function columnsFor(count: number, width: number, least: number): number {
  const most = Math.max(1, Math.floor((width + gap) / (least + gap)));
  return Math.max(1, Math.ceil(count / Math.ceil(count / most)));
}

function note(text: string, width: number): Piece {
  return {
    height: 20,
    paint: (x, y) => runLine(x, y + 14, [{ text, face: faces.body, fill: ink.muted }], 0, width),
  };
}

/** Where a room is drawn. */
interface Place {
  readonly picture: Picture;
  /** It belongs to the model itself and not to another block. */
  readonly top: boolean;
}

function drawGroup(group: Variants, width: number, place: Place): Piece {
  if (group.others.length === 0) return drawRoom(group.first, width, place);
  return drawFamily([group.first, ...group.others], width, place);
}

/** A family whose members differ: one frame, and in it a card a variant, side by side. */
function drawFamily(variants: readonly BlockInstance[], width: number, place: Place): Piece {
  const { picture } = place;
  const first = variants[0];
  if (first === undefined || first.family === null) return column([], 0);
  const inside = width - 2 * pad;
  const perRow = columnsFor(variants.length, inside, leastWidth.room);
  const each = (inside - gap * (perRow - 1)) / perRow;
  const cards = grid(
    variants.map((variant) => drawRoom(variant, each, place)),
    perRow,
    each,
    gap,
    gap,
  );
  const counts = variants.map((variant) => picture.counts.all(variant));
  const sum = counts.reduce((a, b) => (a === null || b === null ? null : a + b), 0);
  const family = first.family;
  const height = cards.height + titleHeight + 2 * pad;
  return {
    height,
    paint: (x, y, stretched = height) => {
      const right = x + width - pad;
      const number = numberText(sum, place);
      return [
        rect(x, y, width, Math.max(height, stretched), { fill: "none", stroke: ink.muted, radius: 14, dash: "2 4" }),
        runLine(
          x + pad + 2,
          y + pad + 12,
          [
            { text: first.name, face: faces.room, fill: ink.text },
            { text: `× ${family.count ?? family.size}`, face: faces.room, fill: ink.text },
            {
              text: `${familyIndex(first)}, ${variants.length} kinds`,
              face: faces.code,
              fill: ink.muted,
            },
          ],
          8,
          inside - textWidth(number, faces.number) - 12,
        ),
        endLine(right - 2, y + pad + 12, { text: number, face: faces.number, fill: ink.text }, inside),
        cards.paint(x + pad, y + pad + titleHeight),
      ].join("");
    },
  };
}

function numberText(count: number | null, { picture, top }: Place): string {
  if (count === null) return "";
  const share = picture.counts.total === null || !top ? "" : percent(count, picture.counts.total);
  return share === "" ? shortCount(count) : `${shortCount(count)} · ${share}`;
}

/** A plate is one line: `norm1 rms_norm   [D] 7168   7.17 K`. */
function drawPlate(block: BlockInstance, width: number, { picture }: Place): Piece {
  const colour = picture.colourOf(block.block);
  const height = 34;
  const count = picture.counts.one(block);
  const number = count === null || block.weights.length === 0 ? "" : shortCount(count);
  const runs: readonly Run[] = [
    { text: block.name, face: faces.room, fill: ink.text },
    { text: block.block, face: faces.block, fill: shade(colour, 0.85) },
    ...block.weights.map(({ name, shape }) => ({
      text: block.weights.length === 1 ? shape : `${name} ${shape}`,
      face: faces.code,
      fill: ink.muted,
    })),
    ...(block.optional ? [{ text: "optional", face: faces.code, fill: ink.muted }] : []),
  ];
  return {
    height,
    paint: (x, y, stretched = height) => {
      const numberWidth = number === "" ? 0 : textWidth(number, faces.number) + 10;
      return [
        rect(x, y, width, Math.max(height, stretched), {
          fill: ink.white,
          stroke: tint(colour, 0.55),
          radius: 9,
          hint: [hintOf(block), ...block.weights.map(weightHint)].join("\n"),
          ...(block.optional ? { dash: "7 4" } : {}),
        }),
        runLine(x + platePad, y + 22, runs, 6, width - 2 * platePad - numberWidth),
        endLine(x + width - platePad, y + 22, { text: number, face: faces.number, fill: ink.text }, numberWidth),
      ].join("");
    },
  };
}

function drawRoom(block: BlockInstance, width: number, place: Place): Piece {
  const { picture } = place;
  const colour = picture.colourOf(block.block);
  if (sizeOf(block) === "plate") return drawPlate(block, width, place);
  const stacked = block.family !== null && copiesOf(block) !== 1;
  const behind = stacked ? 2 * stackOffset : 0;
  const own = width - behind;
  const inside = own - 2 * pad;
  const body = inside < narrowest - 2 * pad ? [contents(block, inside, picture)] : bodyOf(block, inside, picture);
  const content = column([drawTitle(block, inside, colour, place), ...body], 8);
  const height = content.height + 2 * pad + behind;
  return {
    height,
    paint: (x, y, stretched = height) => {
      const full = Math.max(height, stretched);
      const top = y + behind;
      const cards = stacked
        ? [2, 1].map((i) =>
            rect(x + i * stackOffset, top - i * stackOffset, own, full - behind, {
              fill: tint(colour, 0.03 + 0.06 * i),
              stroke: tint(colour, 0.5),
              radius: 12,
            }),
          )
        : [];
      return [
        ...cards,
        rect(x, top, own, full - behind, {
          fill: tint(colour, 0.06),
          stroke: tint(colour, 0.55),
          radius: 12,
          hint: hintOf(block),
          ...(block.optional ? { dash: "7 4" } : {}),
        }),
        content.paint(x + pad, top + pad),
      ].join("\n");
    },
  };
}

function hintOf(block: BlockInstance): string {
  const doc = block.doc === null ? [] : block.doc.split("\n");
  return [`${block.name} : ${block.block}`, ...doc, block.signature].map(printable).join("\n");
}

function bodyOf(block: BlockInstance, width: number, picture: Picture): readonly Piece[] {
  const colour = picture.colourOf(block.block);
  return [
    column([drawSignature(block, width), drawParams(block, width)], 2),
    drawWeights(block.weights, width, colour, picture),
    drawParts(block.parts, width, picture),
    drawStates(block.states, width),
  ];
}

/** Instead of rooms too narrow to draw. */
function contents(block: BlockInstance, width: number, picture: Picture): Piece {
  const count = picture.counts.one(block);
  const text = `${block.parts.length} parts, ${block.weights.length} weights${count === null ? "" : `: ${shortCount(count)}`}`;
  return note(text, width);
}

/** `× 58` on its plate and the condition beside it, or what stands for them. */
function familyRuns(block: BlockInstance): { readonly badge: string; readonly condition: string } {
  const family = block.family;
  if (family === null) return { badge: "", condition: block.optional ? "optional" : "" };
  const copies = copiesOf(block);
  const condition = familyCondition(block);
  return {
    badge: copies !== null ? `× ${copies}` : block.members === null ? `× ${family.size}` : "× ?",
    condition: block.optional ? `${condition}, optional` : condition,
  };
}

/** Of a family both, `44.0 M each, 11.3 B`, where there is room for it, else what they are together. */
function countText(block: BlockInstance, room: number, place: Place): string {
  const { one, all } = place.picture.counts;
  const together = numberText(all(block), place);
  const each = one(block);
  if (each === null || copiesOf(block) === 1) return together;
  const both = [`${shortCount(each)} each`, together].filter((text) => text !== "").join(", ");
  return textWidth(both, faces.number) <= room ? both : together;
}

function drawTitle(block: BlockInstance, width: number, colour: string, place: Place): Piece {
  return {
    height: titleHeight,
    paint: (x, y) => {
      const { badge, condition } = familyRuns(block);
      const badgeWidth = badge === "" ? 0 : Math.min(textWidth(printable(badge), faces.badge) + 16, width / 2);
      const runs: readonly Run[] = [
        { text: block.name, face: faces.room, fill: ink.text },
        { text: block.block, face: faces.block, fill: shade(colour, 0.85) },
        ...(condition === "" ? [] : [{ text: condition, face: faces.code, fill: ink.muted }]),
      ];
      const start = x + (badgeWidth > 0 ? badgeWidth + 8 : 0);
      const room = width - (start - x);
      const number = countText(block, room - runsWidth(runs, 8) - 10, place);
      const numberWidth = number === "" ? 0 : textWidth(number, faces.number) + 10;
      // When both do not fit, the name is worth more than the number.
      const showNumber = room - numberWidth >= Math.min(room, runsWidth(runs.slice(0, 1), 8) + 40);
      return [
        badge === ""
          ? ""
          : rect(x, y, badgeWidth, 20, { fill: colour, radius: 10 }) +
            runLine(x + 8, y + 14.5, [{ text: badge, face: faces.badge, fill: ink.white }], 0, badgeWidth - 14),
        runLine(start, y + 14, runs, 8, room - (showNumber ? numberWidth : 0)),
        showNumber ? endLine(x + width, y + 14, { text: number, face: faces.number, fill: ink.text }, width) : "",
      ].join("");
    },
  };
}

const codeLine = 15;

function drawSignature(block: BlockInstance, width: number): Piece {
  const lines = wrapText(block.signature, faces.code, width, 2);
  return {
    height: lines.length * codeLine,
    paint: (x, y) =>
      lines
        .map((text, i) => runLine(x, y + 11 + i * codeLine, [{ text, face: faces.code, fill: ink.muted }], 0, width))
        .join(""),
  };
}

/** `H 128   N 128 …`: names pale, values dark, at most three lines. */
function drawParams(block: BlockInstance, width: number): Piece {
  const between = 14;
  const lines: Run[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const param of block.params) {
    const value = { text: param.value, face: faces.code, fill: ink.text };
    const runs =
      param.name === param.value
        ? [value]
        : [
            { text: param.name, face: faces.code, fill: ink.muted },
            { ...value, before: 5 },
          ];
    const needed = runsWidth(runs, 0);
    if (used + between + needed > width - 20) {
      if (lines.length === 3) {
        lines.at(-1)?.push({ text: "…", face: faces.code, fill: ink.muted, before: 8 });
        break;
      }
      lines.push([]);
      used = 0;
    }
    lines.at(-1)?.push(...runs);
    used += needed + between;
  }
  return {
    height: lines.length * codeLine,
    paint: (x, y) => lines.map((runs, i) => runLine(x, y + 11 + i * codeLine, runs, between, width)).join(""),
  };
}
