/** The calls of a phase in the order in which they run: repeats round by round, with what their names mean then. */
import type { Call, Phase, Step } from "../artifact/program.ts";
import type { Scope, ValueBuilder } from "./values.ts";

export interface UnrolledCall {
  readonly call: Call;
  /** Not to be kept, as `places`. */
  readonly scope: Scope;
  /** Which buffer's memory the name of each arena buffer means now. */
  readonly places: readonly number[];
  /** Ordinal among the rounds of the outermost repeats and the calls beside them. */
  readonly unit: number;
}

export interface UnrollVisitor {
  readonly call: (one: UnrolledCall) => void;
  /** A round begins, of a body whose first and last leaf steps have these ordinals. */
  readonly round?: (first: number, last: number) => void;
}

export function unroll(phase: Phase, builder: ValueBuilder, start: Scope, { call, round }: UnrollVisitor): void {
  // One map for all rounds: a phase may have very many of them, and sizes.
  const scope = new Map(start);
  const places = phase.buffers.map((_, i) => i);
  let unit = 0;
  const play = (steps: readonly Step[], from: number, inside: boolean): void => {
    let first = from;
    for (const step of steps) {
      const next = first + leaves(step);
      if (step.kind === "call") call({ call: step, scope, places, unit });
      else {
        const before = [...places];
        for (let i = 0; i < step.count; i += 1) {
          round?.(first, next - 1);
          scope.set(step.index, builder.constant(i));
          play(step.body, first, true);
          exchange(places, step.swap);
          if (!inside) unit += 1;
        }
        scope.delete(step.index); // no size has its name
        places.splice(0, before.length, ...before);
      }
      if (!inside && step.kind === "call") unit += 1;
      first = next;
    }
  };
  play(phase.steps, 0, false);
}

/** Steps that are written in it. */
const leaves = (step: Step): number => (step.kind === "call" ? 1 : step.body.reduce((n, s) => n + leaves(s), 0));

function exchange(places: number[], swap: readonly (readonly [number, number])[]): void {
  for (const [a, b] of swap) {
    const [x = a, y = b] = [places[a], places[b]];
    places[a] = y;
    places[b] = x;
  }
}
