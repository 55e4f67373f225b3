/**
 * Calls whose weights are larger than a binding, as several calls with some pieces of them each: the kernel is launched once a window.
 * How many windows there are follows from the limits of the adapter; where one holds all, the program is as it was.
 */
import { elemBytes } from "../artifact/elems.ts";
import type { Binding, Call, KernelDecl, Phase, Program, SizeExpr, Step } from "../artifact/program.ts";
import { evalSize } from "../artifact/size-expr.ts";
import { weightElements } from "../artifact/weight-sizes.ts";
import { refusing } from "../calls/call-scope.ts";
import type { GpuLimits } from "./gpu-limits.ts";
import { alignment } from "./plan-weights.ts";

/** Of one weight. */
const mostWindows = 2 ** 16;
/** Elements that kernels count. */
const mostElements = 2 ** 31 - 1;

/** Throws CorruptPackageError. */
export function inWindows(program: Program, limits: GpuLimits): Program {
  const parts = partsOf(program, limits);
  return { ...program, phases: program.phases.map((phase) => refusing(phase, () => split(phase, parts))) };
}

/** How many windows each weight is in that is in several, by its name. Throws CorruptPackageError. */
export function windowsOf(program: Program, limits: GpuLimits): ReadonlyMap<string, number> {
  const parts = partsOf(program, limits);
  const found = new Map<string, number>();
  for (const phase of program.phases)
    for (const call of callsIn(phase.steps)) {
      const count = parts.of(call).length;
      if (count === 1) continue;
      for (const i of program.kernels[call.kernel]?.window?.buffers ?? []) {
        const at = call.buffers[i];
        if (at?.kind === "weight") found.set(program.weights[at.weight]?.name ?? "", count);
      }
    }
  return found;
}

function partsOf(program: Program, limits: GpuLimits): Parts {
  const parts = new Parts(program, limits);
  for (const phase of program.phases)
    refusing(phase, () => {
      for (const call of callsIn(phase.steps)) parts.see(call);
    });
  return parts;
}

/** A buffer of a call that is in pieces. */
interface Pieced {
  readonly weight: number;
  /** Elements of a piece. */
  readonly elements: number;
}

/** How many pieces windows have. Weights that a call reads have the same ones, and so have all calls that read a weight. */
class Parts {
  readonly #program: Program;
  readonly #limits: GpuLimits;
  /** By weight: the one that speaks for all that have its windows; and of that one how many pieces a window has at most. */
  readonly #same: number[];
  readonly #most: number[];
  /** And which powers of two windows have multiples of. */
  readonly #together: number[];
  constructor(program: Program, limits: GpuLimits) {
    this.#program = program;
    this.#limits = limits;
    this.#same = program.weights.map((_, i) => i);
    this.#most = program.weights.map(() => Number.POSITIVE_INFINITY);
    this.#together = program.weights.map(() => 1);
  }

  see(call: Call): void {
    const all = this.#pieced(call);
    const [first] = all ?? [];
    if (all === null || first === undefined) return;
    const one = this.#speaker(first.weight);
    for (const { weight, elements } of all) {
      const other = this.#speaker(weight);
      this.#same[other] = one;
      const most = Math.min(this.#most[one] ?? 0, this.#most[other] ?? 0, this.#fitting(weight, elements));
      this.#most[one] = most;
      const [mine = 1, others = 1] = [this.#together[one], this.#together[other]];
      this.#together[one] = Math.max(mine, others, togetherOf(elements));
    }
  }
  #speaker(weight: number): number {
    const next = this.#same[weight] ?? weight;
    return next === weight ? weight : this.#speaker(next);
  }

  /** Pieces that a binding holds. */
  #fitting(weight: number, elements: number): number {
    const size = elemBytes[this.#program.weights[weight]?.elem ?? "f32"];
    const { binding, buffer } = this.#limits;
    return Math.floor(Math.min(Math.min(binding, buffer) / size, mostElements) / Math.max(1, elements));
  }

  /** Null where a call has all pieces at once, or nothing in pieces. */
  #pieced({ kernel, buffers, sizes }: Call): readonly Pieced[] | null {
    const decl = this.#program.kernels[kernel];
    if (decl?.window === undefined) return null;
    const { window } = decl;
    const pieces = sizes[window.pieces];
    if (typeof pieces !== "number" || sizes[window.first] !== 0) return null;
    const all: Pieced[] = [];
    for (const i of window.buffers) {
      const at = buffers[i];
      const weight = at?.kind === "weight" ? this.#program.weights[at.weight] : undefined;
      const elements = elementsOfPiece(decl, i);
      // What the weight does not have is refused where the call is linked.
      if (at?.kind !== "weight" || weight === undefined || pieces * elements > weightElements(weight)) return null;
      all.push({ weight: at.weight, elements });
    }
    return all;
  }

  /** The calls that are played for one. */
  of(call: Call): readonly Call[] {
    const decl = this.#program.kernels[call.kernel];
    const all = this.#pieced(call);
    const [first] = all ?? [];
    const window = decl?.window;
    const pieces = window === undefined ? undefined : call.sizes[window.pieces];
    if (all === null || first === undefined || window === undefined || typeof pieces !== "number") return [call];
    const speaker = this.#speaker(first.weight);
    const [fit, together] = [this.#most[speaker] ?? 0, this.#together[speaker] ?? 1];
    const most = fit >= pieces ? fit : fit - (fit % together);
    // One piece is more than a binding holds: that is told where it is bound.
    if (most >= pieces || most < 1 || pieces > mostWindows * most) return [call];
    const even = Math.ceil(pieces / Math.ceil(pieces / most) / together) * together;
    return Array.from({ length: Math.ceil(pieces / even) }, (_, i): Call => {
      const from = i * even;
      const has = new Map<number, SizeExpr>([
        [window.first, from],
        [window.pieces, Math.min(even, pieces - from)],
      ]);
      const starts = new Map(window.buffers.map((b, n) => [b, from * (all[n]?.elements ?? 0)] as const));
      return {
        ...call,
        sizes: call.sizes.map((s, n) => has.get(n) ?? s),
        buffers: call.buffers.map((b, n) => moved(b, starts.get(n) ?? 0)),
      };
    });
  }
}

/** So many pieces together end at a place where weights may begin. */
function togetherOf(elements: number): number {
  let n = 1;
  while (n < alignment && (n * elements) % alignment !== 0) n *= 2;
  return n;
}

function elementsOfPiece({ buffers, sizes, window }: KernelDecl, buffer: number): number {
  const name = sizes[window?.pieces ?? -1];
  return evalSize(buffers[buffer]?.extent ?? 0, (n) => (n === name ? 1 : undefined));
}

function moved(b: Binding, by: number): Binding {
  if (by === 0 || b.kind !== "weight") return b;
  const { offset = 0 } = b;
  return { ...b, offset: typeof offset === "number" ? offset + by : ["+", offset, by] };
}

const callsIn = (steps: readonly Step[]): readonly Call[] =>
  steps.flatMap((s) => (s.kind === "call" ? [s] : callsIn(s.body)));

/** Ordinals of leaf steps change, and with them the lives of buffers. */
function split(phase: Phase, parts: Parts): Phase {
  const firsts: number[] = [];
  const lasts: number[] = [];
  let next = 0;
  const visit = (steps: readonly Step[]): readonly Step[] =>
    steps.flatMap((s): readonly Step[] => {
      if (s.kind === "repeat") return [{ ...s, body: visit(s.body) }];
      const made = parts.of(s);
      firsts.push(next);
      next += made.length;
      lasts.push(next - 1);
      return made;
    });
  const steps = visit(phase.steps);
  if (next === firsts.length) return phase;
  const buffers = phase.buffers.map(({ live: [from, to], ...b }) => ({
    ...b,
    live: [firsts[from] ?? from, lasts[to] ?? to] as const,
  }));
  return { ...phase, steps, buffers };
}
