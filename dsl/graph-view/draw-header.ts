/** The head of the picture: name, size, settings and entries, and where the parameters are. */
import type { BlockInstance, ModelInstance, Setting } from "../checker/result.ts";
import { printable } from "../diagnostics/display.ts";
import { copiesOf, countWeight, hasConfig } from "./count-parameters.ts";
import { longCount, percent, shortCount } from "./format-count.ts";
import type { Picture } from "./picture.ts";
import { column, ink, type Piece, paletteColour, rect, tint } from "./svg-shapes.ts";
import { endLine, faces, type Run, runLine, runsWidth, textWidth, wrapText } from "./svg-text.ts";
import { tokenStates, tokenTotal } from "./token-memory.ts";

const labelWidth = 84;

export function drawHeader(model: ModelInstance, width: number, picture: Picture): Piece {
  return column(
    [
      drawTitle(model, width, picture),
      drawSettings(model, width),
      drawEntries(model, width),
      drawShares(model, width, picture),
    ],
    14,
  );
}

function drawTitle(model: ModelInstance, width: number, picture: Picture): Piece {
  const { total, optional } = picture.counts;
  const number = total === null ? "" : shortCount(total);
  const caption =
    total === null
      ? hasConfig(model)
        ? "some size is not known"
        : "no config: sizes are names"
      : `${longCount(total)} parameters`;
  const without = optional > 0 && total !== null ? `${shortCount(total - optional)} without optional parts` : "";
  const side = Math.max(
    textWidth(number, faces.huge),
    textWidth(caption, faces.small),
    textWidth(without, faces.small),
  );
  const room = width - side - 24;
  const doc = wrapText(firstParagraph(model.doc), faces.body, room, 3);
  const height = Math.max(40 + doc.length * 18, number === "" ? 26 : without === "" ? 58 : 74);
  return {
    height,
    paint: (x, y) =>
      [
        runLine(x, y + 28, [{ text: model.name, face: faces.huge, fill: ink.text }], 0, room),
        ...doc.map((text, i) => runLine(x, y + 52 + i * 18, [{ text, face: faces.body, fill: ink.muted }], 0, room)),
        endLine(x + width, y + 28, { text: number, face: faces.huge, fill: ink.text }, side),
        endLine(x + width, y + (number === "" ? 24 : 50), { text: caption, face: faces.small, fill: ink.muted }, side),
        endLine(x + width, y + 66, { text: without, face: faces.small, fill: ink.muted }, side),
      ].join(""),
  };
}

const firstParagraph = (doc: string | null): string =>
  (doc ?? "")
    .trim()
    .split(/\n\s*\n/)[0]
    ?.replace(/\s*\n\s*/g, " ") ?? "";

interface Chip {
  readonly runs: readonly Run[];
  readonly fill: string;
  readonly stroke?: string;
}

/** A label on the left and chips flowing beside it. */
function drawChips(label: string, chips: readonly Chip[], width: number): Piece {
  if (chips.length === 0) return { height: 0, paint: () => "" };
  const room = width - labelWidth;
  const height = 22;
  const placed: { readonly chip: Chip; readonly x: number; readonly line: number; readonly width: number }[] = [];
  let x = 0;
  let line = 0;
  for (const chip of chips) {
    const own = Math.min(room, runsWidth(chip.runs, 7) + 18);
    if (x > 0 && x + own > room) {
      x = 0;
      line += 1;
    }
    placed.push({ chip, x, line, width: own });
    x += own + 6;
  }
  return {
    height: (line + 1) * (height + 5) - 5,
    paint: (left, y) =>
      [
        runLine(left, y + 15, [{ text: label, face: faces.caption, fill: ink.muted }], 0, labelWidth - 6),
        ...placed.map(({ chip, x, line, width }) => {
          const at = left + labelWidth + x;
          const top = y + line * (height + 5);
          const style = { fill: chip.fill, radius: 11, ...(chip.stroke === undefined ? {} : { stroke: chip.stroke }) };
          return rect(at, top, width, height, style) + runLine(at + 9, top + 15, chip.runs, 7, width - 16);
        }),
      ].join(""),
  };
}

function drawSettings(model: ModelInstance, width: number): Piece {
  const chips = (kind: Setting["kind"], stroke: string | undefined): readonly Chip[] =>
    model.settings
      .filter((setting) => setting.kind === kind)
      .map((setting) => ({
        runs: [
          { text: kind === "runtime" ? `${setting.name} in` : setting.name, face: faces.code, fill: ink.muted },
          { text: setting.value ?? setting.type, face: faces.code, fill: ink.text },
        ],
        fill: stroke === undefined ? ink.chip : ink.white,
        ...(stroke === undefined ? {} : { stroke }),
      }));
  return column(
    [
      drawChips("config", chips("field", undefined), width),
      drawChips("options", chips("option", ink.edge), width),
      drawChips("run time", chips("runtime", ink.edge), width),
    ],
    9,
  );
}

function drawEntries(model: ModelInstance, width: number): Piece {
  const line = 20;
  return {
    height: model.entries.length * line,
    paint: (x, y) =>
      model.entries
        .map((entry, i) => {
          const label = i === 0 ? [{ text: "entries", face: faces.caption, fill: ink.muted }] : [];
          const runs = [
            { text: "→", face: faces.name, fill: paletteColour(0) },
            { text: entry.name, face: faces.name, fill: ink.text },
            { text: entry.signature, face: faces.code, fill: ink.muted },
          ];
          const top = y + i * line + 14;
          return runLine(x, top, label, 0, labelWidth - 6) + runLine(x + labelWidth, top, runs, 7, width - labelWidth);
        })
        .join(""),
  };
}

interface Share {
  readonly name: string;
  readonly count: number;
  readonly colour: string;
}

/** The model's parameters by the part that holds them; variants of a family count together. */
function sharesOf(model: ModelInstance, picture: Picture): readonly Share[] {
  const shares = new Map<string, Share>();
  const add = (name: string, count: number, colour: string): void => {
    const before = shares.get(name);
    if (count > 0) shares.set(name, { name, count: count + (before?.count ?? 0), colour: before?.colour ?? colour });
  };
  const visit = (block: BlockInstance, prefix: string, outer: number): void => {
    const copies = outer * (copiesOf(block) ?? 0);
    const path = prefix === "" ? block.name : `${prefix}.${block.name}`;
    const own = block.weights.reduce((sum, weight) => sum + (countWeight(weight) ?? 0), 0);
    add(path, own * copies, picture.colourOf(block.block));
    for (const part of block.parts) visit(part, path, copies);
  };
  for (const weight of model.weights) add(weight.name, countWeight(weight) ?? 0, paletteColour(0));
  for (const block of model.blocks) visit(block, "", 1);
  return [...shares.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}

const shownShares = 8;

function drawShares(model: ModelInstance, width: number, picture: Picture): Piece {
  const total = picture.counts.total;
  const shares = total === null ? [] : sharesOf(model, picture);
  if (total === null || shares.length < 2) return { height: 0, paint: () => "" };
  const rest = shares.slice(shownShares);
  const shown = [
    ...shares.slice(0, shownShares),
    ...(rest.length === 0
      ? []
      : [{ name: "the rest", count: rest.reduce((sum, share) => sum + share.count, 0), colour: ink.muted }]),
  ];
  const legend = drawChips(
    "",
    shown.map((share) => ({
      runs: [
        { text: share.name, face: faces.code, fill: ink.text },
        { text: shortCount(share.count), face: faces.number, fill: ink.text },
        { text: percent(share.count, total), face: faces.small, fill: ink.muted },
      ],
      fill: tint(share.colour, 0.1),
      stroke: tint(share.colour, 0.55),
    })),
    width,
  );
  const bar = 18;
  return {
    height: bar + 8 + legend.height,
    paint: (x, y) => {
      const parts = [
        runLine(x, y + 13, [{ text: "parameters", face: faces.caption, fill: ink.muted }], 0, labelWidth - 6),
      ];
      let at = x + labelWidth;
      for (const share of shown) {
        const own = (share.count / total) * (width - labelWidth);
        const hint = printable(`${share.name}: ${longCount(share.count)}`);
        parts.push(
          rect(at, y, Math.max(0.4, own - 1), bar, { fill: share.colour, radius: Math.min(3, own / 4), hint }),
        );
        at += own;
      }
      return parts.join("") + legend.paint(x, y + bar + 8);
    },
  };
}

/** Apart from everything else: what one token leaves behind for later calls. */
export function drawTokenMemory(model: ModelInstance, width: number): Piece {
  const states = tokenStates(model);
  if (states.length === 0) return { height: 0, paint: () => "" };
  const total = tokenTotal(states);
  const title = "What a token leaves behind";
  const number = total === null ? "" : `${longCount(Math.round(total * 100) / 100)} numbers a token`;
  const chips = drawChips(
    "",
    states.slice(0, 100).map((state) => ({
      runs: [
        { text: state.path, face: faces.name, fill: ink.stateText },
        { text: state.shape, face: faces.code, fill: ink.stateText },
        ...(state.copies === 1 ? [] : [{ text: `× ${state.copies ?? "?"}`, face: faces.number, fill: ink.stateText }]),
        ...(state.row === null || state.copies === null
          ? []
          : [
              {
                text: `= ${longCount(Math.round(state.row * state.copies * 100) / 100)}`,
                face: faces.small,
                fill: ink.stateText,
              },
            ]),
      ],
      fill: ink.white,
      stroke: ink.stateEdge,
    })),
    width - 28 + labelWidth,
  );
  const height = chips.height + 50;
  return {
    height,
    paint: (x, y) =>
      [
        rect(x, y, width, height, { fill: ink.stateFill, stroke: ink.stateEdge, radius: 12, dash: "4 3" }),
        runLine(x + 14, y + 23, [{ text: title, face: faces.room, fill: ink.stateText }], 0, width / 2),
        endLine(x + width - 14, y + 23, { text: number, face: faces.room, fill: ink.stateText }, width / 2),
        chips.paint(x + 14 - labelWidth, y + 36),
      ].join(""),
  };
}
