/** What every step of a phase touches, as far as it is known before any call: what several memories are filled by. */
import type { Binding, Phase, Program, SizeExpr } from "../artifact/program.ts";
import { weightElements } from "../artifact/weight-sizes.ts";
import { callScope, refusing } from "./call-scope.ts";
import { unroll } from "./unroll.ts";
import { type Scope, ValueBuilder } from "./values.ts";

/** Elements from `from` to before `to`; all of the weight where that is not known. */
export interface WeightUse {
  readonly weight: number;
  readonly from: number;
  readonly to: number;
}
export interface StateUse {
  readonly state: number;
  /** Null: any of them. */
  readonly copy: number | null;
}
export interface ArenaUse {
  /** The buffer whose memory it is. */
  readonly place: number;
  readonly access: "read" | "write" | "both";
}

export interface StepUses {
  /** Round of an outermost repeat, or call beside them. */
  readonly unit: number;
  readonly weights: readonly WeightUse[];
  readonly states: readonly StateUse[];
  readonly arena: readonly ArenaUse[];
  /** Buffers that hold nothing any more when it begins: those of rounds before. */
  readonly ended: readonly number[];
}

/** By step as it runs; the last is what reads the result. Throws CorruptPackageError. */
export function usesOf(program: Program, phase: Phase): readonly StepUses[] {
  return refusing(phase, () => {
    const builder = new ValueBuilder();
    const scope = callScope(program, builder, builder.input(), builder.input());
    const found: StepUses[] = [];
    let ended: number[] = [];
    const add = (unit: number, bound: readonly Bound[]): void => {
      const of = <T>(use: (b: Bound) => T | null): readonly T[] => bound.map(use).filter((u) => u !== null);
      found.push({
        unit,
        weights: of((b) => weightUse(program, builder, b)),
        states: of(({ binding, scope: names }) =>
          binding.kind === "state" ? { state: binding.state, copy: knownSize(builder, binding.copy, names) } : null,
        ),
        arena: of(({ binding, access, places }) =>
          binding.kind === "arena" ? { place: places[binding.buffer] ?? 0, access } : null,
        ),
        ended,
      });
      ended = [];
    };
    unroll(phase, builder, scope, {
      round: (first, last) => {
        ended.push(...within(phase, first, last));
      },
      call: ({ call, scope: names, places, unit }) => {
        const kernel = program.kernels[call.kernel];
        if (kernel === undefined) throw new RangeError(`no kernel ${call.kernel}`);
        const sizes: Scope = new Map(
          kernel.sizes.map((name, i) => [name, builder.expression(call.sizes[i] ?? 0, names)] as const),
        );
        const bound = call.buffers.map((binding, i): Bound => {
          const { extent, access } = kernel.buffers[i] ?? { extent: 0, access: "both" };
          return { binding, access, scope: names, places, extent: knownSize(builder, extent, sizes) };
        });
        add(unit, bound);
      },
    });
    const places = phase.buffers.map((_, i) => i);
    const unit = 1 + (found.at(-1)?.unit ?? 0);
    add(
      unit,
      phase.outputs.map(({ at, dims }): Bound => ({ binding: at, access: "read", scope, places, extent: known(dims) })),
    );
    return found;

    function known(dims: readonly SizeExpr[]): number | null {
      const extents = dims.map((e) => knownSize(builder, e, scope));
      return extents.reduce<number | null>((n, e) => (n === null || e === null ? null : n * e), 1);
    }
  });
}

interface Bound {
  readonly binding: Binding;
  readonly access: "read" | "write" | "both";
  readonly scope: Scope;
  readonly places: readonly number[];
  /** Elements it touches at most; null where that hangs on the call. */
  readonly extent: number | null;
}

function weightUse(program: Program, builder: ValueBuilder, { binding, scope, extent }: Bound): WeightUse | null {
  if (binding.kind !== "weight") return null;
  const decl = program.weights[binding.weight];
  const elements = decl === undefined ? 0 : weightElements(decl);
  const from = knownSize(builder, binding.offset ?? 0, scope);
  if (from === null || from < 0 || from >= elements) return { weight: binding.weight, from: 0, to: elements };
  return { weight: binding.weight, from, to: Math.min(elements, from + Math.max(1, extent ?? elements)) };
}

/** Buffers that live in a part of a round only, so that nothing of them is left for the next. */
function within({ buffers }: Phase, first: number, last: number): readonly number[] {
  return buffers.flatMap(({ live }, i) =>
    live[0] >= first && live[1] <= last && (live[0] > first || live[1] < last) ? [i] : [],
  );
}

/** A number where an expression is one, whatever the call is; null elsewhere. */
function knownSize(builder: ValueBuilder, e: SizeExpr, scope: Scope): number | null {
  return builder.known(builder.expression(e, scope));
}
