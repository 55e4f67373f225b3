/** The conformance suite of a machine: all primitives and blocks of the library, row by row. */
import type { ConformanceOptions, Row } from "../driver/conformance.ts";
import { blockCases, type ReadText } from "./blocks.ts";
import { type CaseCall, type GraphCase, runCase } from "./graph-case.ts";
import type { Machine } from "./machine.ts";
import { remembering } from "./primitives/text-case.ts";
import { primitiveCases } from "./primitives.ts";

export interface SuiteOptions extends ConformanceOptions {
  /** Texts of the library. */
  readonly read: ReadText;
}

export async function* conformance(machine: Machine, options: SuiteOptions): AsyncIterable<Row> {
  const { only = "", full = false, signal, read } = options;
  for (const c of suiteCases(full, read)) {
    if (!c.subject.includes(only)) continue;
    for (const weights of c.weights) {
      signal?.throwIfAborted();
      yield await runCase(c, weights, machine);
    }
  }
}

/** In the order of the table. */
export const suiteCases = (full: boolean, read: ReadText): readonly GraphCase[] => [
  ...primitiveCases(full),
  ...decoding(primitiveCases(full).filter((c) => full || c.weights.length > 1)),
  ...blockCases(full, read),
  ...decoding(blockCases(full, read).filter((c) => full || c.calls === remembering)),
];

/** The same token by token, forgetting some on the way. */
const decoding = (cases: readonly GraphCase[]): readonly GraphCase[] =>
  cases
    .filter((c) => c.calls.some(({ T }) => T === 1))
    .map((c) => ({ ...c, single: true, weights: c.weights.slice(0, 2), calls: tokens }));
const tokens = [0, 1, 2, 3, 4, 2, 3, 4, 5].map((S0): CaseCall => ({ T: 1, S0 }));
