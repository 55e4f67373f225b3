/** A model as a tree of text: what `dsc graph` prints. */
import type { BlockInstance, ModelInstance, Setting, WeightInstance } from "../checker/result.ts";
import { layOut, printable, widthOf } from "../diagnostics/display.ts";
import { type Counts, copiesOf, countParameters, countWeight, hasConfig, saysSizes } from "./count-parameters.ts";
import { longCount, shortCount } from "./format-count.ts";
import { familyCondition } from "./group-variants.ts";

const lineWidth = 110;

/** A line of the tree before its columns are aligned: the branch it hangs on, and its cells. */
interface Row {
  readonly branch: string;
  readonly cells: readonly string[];
}

const columns = (text: string): number => widthOf(layOut(text));
const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - columns(text)));

export function drawText(model: ModelInstance): string {
  const counts = countParameters(model);
  const lines = [`model ${model.name}`];
  if (model.doc !== null) lines.push(...model.doc.split("\n").map((line) => `  ${line.trim()}`.trimEnd()));
  lines.push(...settingLines(model.settings));
  if (model.entries.length > 0) {
    lines.push(
      "",
      "entries",
      ...model.entries.map((entry) => `  ${entry.name}${gap(entry.signature)}${entry.signature}`),
    );
  }
  if (model.weights.length + model.blocks.length > 0) {
    lines.push("", "parts", ...alignRows(treeRows(model.weights, [], model.blocks, counts)));
  }
  lines.push("", ...totalLines(model, counts));
  return `${lines.map((line) => printable(line).trimEnd()).join("\n")}\n`;
}

const gap = (signature: string): string => (signature.startsWith("(") ? "" : " ");

function totalLines(model: ModelInstance, counts: Counts): readonly string[] {
  const { total, optional } = counts;
  if (total === null) {
    return [
      hasConfig(model)
        ? "total: not known, some size is not"
        : "total: not known without a config (--config config.json)",
    ];
  }
  const line = `total: ${longCount(total)} parameters (${shortCount(total)})`;
  if (optional === 0) return [line];
  return [line, `       ${longCount(total - optional)} without optional parts (${shortCount(total - optional)})`];
}

const settingTitles = { field: "config", option: "options", runtime: "run time" } as const;

function settingLines(settings: readonly Setting[]): readonly string[] {
  const lines: string[] = [];
  for (const kind of ["field", "option", "runtime"] as const) {
    const own = settings.filter((setting) => setting.kind === kind);
    if (own.length === 0) continue;
    lines.push("", settingTitles[kind]);
    lines.push(...wrap(own.map(settingText), lineWidth).map((line) => `  ${line}`));
  }
  return lines;
}

function settingText(setting: Setting): string {
  if (setting.value === null) return `${setting.name}: ${setting.type}`;
  return `${setting.name} ${setting.kind === "runtime" ? "in" : "="} ${setting.value}`;
}

function wrap(items: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const [i, item] of items.entries()) {
    const text = i + 1 < items.length ? `${item},` : item;
    if (line !== "" && columns(line) + columns(text) + 1 > width) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? text : ` ${text}`;
  }
  return line === "" ? lines : [...lines, line];
}

function treeRows(
  weights: readonly WeightInstance[],
  states: BlockInstance["states"],
  parts: readonly BlockInstance[],
  counts: Counts,
): readonly Row[] {
  const rows: Row[] = [];
  const add = (
    block: { weights: typeof weights; states: typeof states; parts: typeof parts },
    indent: string,
  ): void => {
    const leaves = [
      ...block.weights.map((weight) => weightCells(weight)),
      ...block.states.map((state) => [`state ${state.name}`, state.shape, "", "", rowsText(state.shape)]),
    ];
    let left = leaves.length + block.parts.length;
    const branch = (): string => {
      left -= 1;
      return left > 0 ? "├─ " : "└─ ";
    };
    for (const cells of leaves) rows.push({ branch: indent + branch(), cells });
    for (const part of block.parts) {
      const own = branch();
      const inside = indent + (own.startsWith("├") ? "│  " : "   ");
      rows.push({ branch: indent + own, cells: [blockText(part, counts)] });
      const below = part.weights.length + part.states.length + part.parts.length > 0 ? "│  " : "   ";
      for (const line of wrap(part.params.map(paramText), lineWidth - inside.length)) {
        rows.push({ branch: inside + below, cells: [line] });
      }
      add(part, inside);
    }
  };
  add({ weights, states, parts }, "");
  return rows;
}

/** A state whose first axis is a piece of memory, `S div 4`, has one row for several tokens. */
const rowsText = (shape: string): string =>
  /^\[\w+ (div|\/) /.test(shape) ? "one row for several tokens" : "one row a token";

const paramText = ({ name, value }: BlockInstance["params"][number]): string =>
  name === value ? name : `${name} = ${value}`;

function weightCells(weight: WeightInstance): readonly string[] {
  const count = countWeight(weight);
  const type = weight.type === "real" || weight.type === "" ? "" : ` ${weight.type}`;
  const tensors = weight.tensors.join(" or ") + weight.copies.map((copy) => `, copy at ${copy}`).join("");
  return [
    `weight ${weight.name}`,
    `${weight.shape}${type}`,
    saysSizes(weight) ? "" : (weight.sizes ?? []).join(" x "),
    count === null ? "" : shortCount(count),
    tensors,
  ];
}

/** `layer x 58 (l >= 3): decoder  668.2 B  x: [T, D] -> y: [T, D]` */
function blockText(block: BlockInstance, counts: Counts): string {
  const count = counts.all(block);
  const title = `${block.optional ? "optional " : ""}${block.name}${familyText(block)}: ${block.block}`;
  return [title, count === null ? "" : shortCount(count), block.signature].filter((word) => word !== "").join("  ");
}

/** ` x 256 (e in E)`, ` x 58 (l >= 3)`, ` x L (l in L)` */
function familyText(block: BlockInstance): string {
  const family = block.family;
  if (family === null) return "";
  const copies = copiesOf(block);
  const condition = familyCondition(block);
  if (copies === null && block.members !== null) return ` (${condition})`;
  return ` x ${copies ?? family.size} (${condition})`;
}

/** Weights and states that stand together share their columns; a line of a block ends the group. */
function alignRows(rows: readonly Row[]): readonly string[] {
  const lines: string[] = [];
  let group: Row[] = [];
  const flush = (): void => {
    const widths = [0, 1, 2, 3].map((i) => Math.max(0, ...group.map((row) => columns(row.cells[i] ?? ""))));
    for (const row of group) {
      const cells = row.cells.map((cell, i) => (i === 3 ? cell.padStart(widths[3] ?? 0) : pad(cell, widths[i] ?? 0)));
      lines.push(row.branch + cells.filter((_, i) => i === 4 || (widths[i] ?? 0) > 0).join("  "));
    }
    group = [];
  };
  for (const row of rows) {
    const last = group.at(-1);
    if (row.cells.length === 1) {
      flush();
      lines.push(row.branch + (row.cells[0] ?? ""));
    } else {
      if (last !== undefined && last.branch.length !== row.branch.length) flush();
      group.push(row);
    }
  }
  flush();
  return lines;
}
