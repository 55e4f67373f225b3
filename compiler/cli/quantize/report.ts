/** What was packed, how far it is from what it was, and what stays. */
import { byteText } from "../../package/number-words.ts";
import type { StayingTensor } from "./choose-tensors.ts";
import type { PackingError } from "./verify.ts";

export interface QuantizeReport {
  readonly folder: string;
  readonly model: string;
  readonly format: string;
  /** Neighbours along each axis with one multiplier; null: all. */
  readonly block: readonly (number | null)[];
  readonly multipliers: { readonly dtype: string; readonly pow2: boolean };
  readonly tensors: readonly ReportedTensor[];
  readonly staying: readonly StayingTensor[];
  /** Of all weights. */
  readonly bytes: { readonly before: number; readonly after: number };
}

export interface ReportedTensor {
  readonly name: string;
  readonly pattern: string;
  readonly shape: readonly number[];
  readonly error: PackingError;
}

const reasons: Readonly<Record<StayingTensor["because"], string>> = {
  declared: "the text asks for its type",
  rows: "rows of it are fetched",
  vocabulary: "along the vocabulary",
  "not-at": "the storage line names it",
  shape: "a condition of the format does not hold for its shape",
  asked: "not asked for",
};

export function reportText(report: QuantizeReport): string {
  const { folder, model, format, block, multipliers, tensors, staying, bytes } = report;
  const blocks = block.map((n) => n ?? "all").join(" x ");
  const scale = `${multipliers.dtype}${multipliers.pow2 ? ", powers of two" : ""}`;
  const groups = grouped(tensors).map(([pattern, members]) => [
    `  ${pattern}`,
    members.length === 1 ? "" : counted(members.length),
    `largest ${percent(Math.max(...members.map(({ error }) => error.largest)))}`,
    `mean ${percent(Math.max(...members.map(({ error }) => error.mean)))}`,
  ]);
  const left = grouped(staying).map(([pattern, members]) => [
    `  ${pattern}`,
    members.length === 1 ? "" : counted(members.length),
    [...new Set(members.map(({ because }) => reasons[because]))].join("; "),
  ]);
  return [
    `${folder}: ${model} in ${format}, a multiplier (${scale}) for ${blocks}`,
    `${counted(tensors.length)}, ${byteText(bytes.before)} before, ${byteText(bytes.after)} now; the worst of each kind:`,
    ...aligned(groups),
    ...(left.length === 0 ? [] : ["as they were:", ...aligned(left)]),
    "",
  ].join("\n");
}

const counted = (count: number): string => `${count} ${count === 1 ? "tensor" : "tensors"}`;
const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const grouped = <T extends { readonly pattern: string }>(items: readonly T[]): readonly (readonly [string, T[]])[] => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(item.pattern, [...(groups.get(item.pattern) ?? []), item]);
  return [...groups];
};

/** Columns that are empty in every row are left out. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const padded = (row: readonly string[]): readonly string[] =>
    row.flatMap((text, i) => (widths[i] === 0 ? [] : [text.padEnd(widths[i] ?? 0)]));
  return rows.map((row) => padded(row).join("  ").trimEnd());
}
