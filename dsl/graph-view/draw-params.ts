/** A model's parameters and memory as a table of text: what `dsc params` prints. */
import { printable } from "../diagnostics/display.ts";
import { longCount, shortCount } from "./format-count.ts";
import type { ParameterGroup, ParameterRow, ParameterTable } from "./parameter-rows.ts";

/** Title, parameters, activated parameters, bytes a token, note. */
type Cells = readonly [title: string, all: string, activated: string, bytes: string, note: string];

const noCells: Cells = ["", "", "", "", ""];

export function drawParams(table: ParameterTable): string {
  const lines: Cells[] = [
    [`model ${table.model}`, "parameters", "activated", "bytes a token", ""],
    ...groupCells("total", table),
  ];
  if (table.optional !== null) {
    lines.push(noCells, ["optional, not in the total", "", "", "", ""], ...groupCells("optional", table.optional));
  }
  const widths = [0, 1, 2, 3].map((i) => Math.max(...lines.map((cells) => cells[i]?.length ?? 0)));
  const text = lines.map((cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
  );
  const notes = [
    "",
    "activated: by one token, all but the members of a family that a call leaves out, and but tables",
    `bytes a token: of all states, ${table.format} where a state says no format`,
  ];
  return `${[...text, ...notes].map((line) => printable(line).trimEnd()).join("\n")}\n`;
}

function groupCells(title: string, { rows, total, tokenBytes }: ParameterGroup): readonly Cells[] {
  const lines = rows.flatMap((row) => rowCells(row, ""));
  const sum: Cells = [
    title,
    longCount(total.all),
    longCount(total.activated),
    tokenBytes === null ? "not known" : longCount(tokenBytes),
    `${shortCount(total.all)}, ${shortCount(total.activated)} activated`,
  ];
  const rest = total.activated - total.embedding;
  const without: Cells = ["  without embedding", "", longCount(rest), "", `${shortCount(rest)} activated`];
  return total.embedding === 0 ? [...lines, sum] : [...lines, sum, without];
}

function rowCells(row: ParameterRow, indent: string): readonly Cells[] {
  const { parameters, tokenBytes, parts } = row;
  const cells: Cells = [
    `${indent}${titleOf(row)}`,
    longCount(parameters.all),
    longCount(parameters.activated),
    tokenBytes === null || tokenBytes === 0 ? "" : longCount(tokenBytes),
    noteOf(row),
  ];
  return [cells, ...parts.flatMap((part) => rowCells(part, `${indent}  `))];
}

/** `layer x 58 (l in 3..60): decoder` */
function titleOf({ name, block, members, copies }: ParameterRow): string {
  const many = copies === 1 && members === null ? "" : ` x ${copies}`;
  return `${name}${many}${members === null ? "" : ` (${members})`}${block === null ? "" : `: ${block}`}`;
}

function noteOf({ used, copies, reading }: ParameterRow): string {
  if (used !== null) return `${used} of ${copies} a token`;
  if (reading === "computed") return "";
  return reading === "embedding" ? "a row a token" : "rows of a table";
}
