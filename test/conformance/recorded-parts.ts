/** A recorded model run again: everything that its recording holds, and how far off it is. */
import type { ReferenceSession } from "../../backends/reference/session.ts";
import { newTapRecorder } from "../../compiler/cli/tap-recorder.ts";
import { type OracleCase, recordingError } from "../oracle/cases.ts";
import { type BoundText, bindText, type Rows, rowsOf, type TextOptions } from "./bind-text.ts";
import { settingsOf, textOf } from "./text-of.ts";

/** By the names of the recording: `embed`, `block.0` to the last, `norm`, and `logits`. */
export type Parts = ReadonlyMap<string, Rows>;

const taps = { names: ["h.0", "layer.y"], wants: (path: string) => path === "h.0" || path === "layer.y" };

export const openRecorded = (
  oracle: OracleCase,
  more: Pick<TextOptions, "texts" | "settings"> = {},
): Promise<BoundText> =>
  bindText({
    entry: `models/${textOf(oracle.config)}.ds`,
    config: oracle.config,
    settings: settingsOf(oracle.config),
    tensors: oracle.weights(),
    results: ["hidden", "logits"],
    keep: taps.wants,
    ...more,
  });

/** The parts of all calls, one after the other. */
export function partsOf(
  { elaborated }: BoundText,
  session: ReferenceSession,
  calls: readonly (readonly number[])[],
  chunk?: number,
): Parts {
  const recorder = newTapRecorder(taps, elaborated, "T", () => session.length);
  const rows: { readonly hidden: (readonly number[])[]; readonly logits: (readonly number[])[] } = {
    hidden: [],
    logits: [],
  };
  for (const ids of calls) {
    const [hidden, logits] = session.forward(ids, {
      observe: recorder.observe,
      ...(chunk === undefined ? {} : { chunk }),
    });
    rows.hidden.push(...rowsOf(hidden));
    rows.logits.push(...rowsOf(logits));
  }
  const seen = recorder.taps();
  const found = new Map<string, Rows>();
  for (const { dims, values } of seen.get("h.0") ?? []) found.set("embed", rowsOf(realTensor(dims, values)));
  for (const { layer, dims, values } of seen.get("layer.y") ?? [])
    found.set(`block.${layer}`, rowsOf(realTensor(dims, values)));
  return found.set("norm", rows.hidden).set("logits", rows.logits);
}

function realTensor(dims: readonly number[], values: Float64Array | BigInt64Array) {
  if (values instanceof Float64Array) return { dims, data: values };
  throw new Error("these are real numbers");
}

/**
 * How far the worst number of each recorded part is off, in units of what a recorded number may be off (`recordingError`:
 * half a unit of its ninth digit, and the rounding of f64). Infinite where a number is missing or none.
 */
export function errorsOf(found: Parts, { hidden, logits }: OracleCase): Readonly<Record<string, number>> {
  const recorded = [...hidden, ["logits", logits] as const];
  return Object.fromEntries(recorded.map(([part, rows]) => [part, worst(found.get(part) ?? [], rows)]));
}

function worst(found: Rows, recorded: Rows): number {
  let most = found.length === recorded.length ? 0 : Number.POSITIVE_INFINITY;
  for (const [t, row] of recorded.entries()) {
    for (const [i, value] of row.entries()) {
      const error = Math.abs((found[t]?.[i] ?? Number.NaN) - value) / recordingError(value);
      most = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(most, error);
    }
  }
  return most;
}
