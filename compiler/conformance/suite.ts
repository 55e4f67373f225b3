/** The conformance suite of a machine: all primitives and blocks of the library, row by row. */
import type { ConformanceOptions, Row } from "../driver/conformance.ts";
import { type GraphCase, runCase } from "./graph-case.ts";
import type { Machine } from "./machine.ts";
import { primitiveCases } from "./primitives.ts";

export async function* conformance(machine: Machine, options: ConformanceOptions): AsyncIterable<Row> {
  const { only = "", full = false, signal } = options;
  for (const c of casesOf(full)) {
    if (!c.subject.includes(only)) continue;
    for (const weights of c.weights) {
      signal?.throwIfAborted();
      yield await runCase(c, weights, machine);
    }
  }
}

function* casesOf(full: boolean): Iterable<GraphCase> {
  yield* primitiveCases(full);
}
