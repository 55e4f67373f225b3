/** The conformance suite of a machine: all primitives and blocks of the library, row by row. */
import type { ConformanceOptions, Row } from "../driver/conformance.ts";
import { blockCases, type ReadText } from "./blocks.ts";
import { type GraphCase, runCase } from "./graph-case.ts";
import type { Machine } from "./machine.ts";
import { primitiveCases } from "./primitives.ts";

export interface SuiteOptions extends ConformanceOptions {
  /** Texts of the library. */
  readonly read: ReadText;
}

export async function* conformance(machine: Machine, options: SuiteOptions): AsyncIterable<Row> {
  const { only = "", full = false, signal, read } = options;
  for (const c of casesOf(full, read)) {
    if (!c.subject.includes(only)) continue;
    for (const weights of c.weights) {
      signal?.throwIfAborted();
      yield await runCase(c, weights, machine);
    }
  }
}

function* casesOf(full: boolean, read: ReadText): Iterable<GraphCase> {
  yield* primitiveCases(full);
  yield* blockCases(full, read);
}
