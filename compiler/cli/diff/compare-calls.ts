/** The same tokens through a graph in f64 and through the program made of it: where the two first say different things. */
import type { Sizes } from "../../graph/dim.ts";
import { prepare } from "../../graph/interpret/prepare.ts";
import { StateStore } from "../../graph/interpret/state-store.ts";
import { realsOf, type Tensor, tensor } from "../../graph/interpret/tensor.ts";
import type { Computed, Graph, Node } from "../../graph/node.ts";
import { isComputed } from "../../graph/walk.ts";
import { isLogits, type SeenBuffer, type SeenStep, type TracedProgram } from "./traced-program.ts";

export interface PhaseGraph {
  readonly name: string;
  readonly graph: Graph;
}

/** One value of a definition that differs. */
export interface Difference {
  readonly phase: string;
  readonly graph: Graph;
  readonly node: Computed;
  /** Indices of the repeats around it. */
  readonly iterations: readonly number[];
  /** Position of the first token of the call, and how many there are. */
  readonly before: number;
  readonly tokens: number;
  readonly dims: readonly number[];
  /** Of the element that differs most. */
  readonly at: readonly number[];
  readonly reference: number;
  readonly found: number;
  /** As a share of the largest of the values. */
  readonly error: number;
  readonly expected: Float64Array;
  /** As the kernel saw them before it ran, and its results. */
  readonly step: SeenStep;
  readonly given: ReadonlyMap<SeenBuffer, Float64Array>;
}

export interface Compared {
  readonly difference: Difference | null;
  /** Logits of the last token: of the graphs as they were compiled, and of the program. */
  readonly reference: Float64Array;
  readonly found: Float32Array;
  /** How many values were compared. */
  readonly values: number;
  /** Largest difference of those, as a share of the largest value. */
  readonly worst: number;
}

export interface Comparing {
  readonly traced: TracedProgram;
  readonly graphs: readonly PhaseGraph[];
  /** By label. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly tolerance: number;
}

/** Each of `calls`: a phase by name and its tokens, one after the other. Ends at the first difference. */
export function compareCalls(
  calls: readonly { readonly phase: string; readonly tokens: readonly number[] }[],
  comparing: Comparing,
): Compared {
  const state = new StateStore();
  let before = 0;
  let [values, worst] = [0, 0];
  let reference: Float64Array = new Float64Array(0);
  let found: Float32Array = new Float32Array(0);
  for (const { phase, tokens } of calls) {
    const expected = referenceValues({ phase, tokens, before, state }, comparing);
    reference = expected.result;
    const call = { phase: phaseNumber(comparing.traced, phase), tokens, before };
    const wrong: Wrong[] = [];
    const turns = new Map<string, number>();
    found = comparing.traced.run(call, {
      after: (seen) => {
        const value = expectedOf(seen, expected, turns);
        if (value === null || wrong.length > 0) return;
        const { error } = largest(value.tensor.data, resultOf(seen)?.values() ?? new Float64Array(0));
        values += 1;
        worst = Math.max(worst, error);
        if (!(error <= comparing.tolerance)) wrong.push({ step: seen.step, value });
      },
    });
    const [first] = wrong;
    if (first !== undefined) {
      const difference = again(first, call, comparing, expected.graph, phase);
      return { difference, reference, found, values, worst };
    }
    before += tokens.length;
  }
  return { difference: null, reference, found, values, worst };
}

/** A step whose result is not what it should be. */
interface Wrong {
  readonly step: number;
  readonly value: Expected;
}
interface Expected {
  readonly node: Computed;
  readonly iterations: readonly number[];
  readonly tensor: { readonly dims: readonly number[]; readonly data: Float64Array };
}
interface ReferenceValues {
  readonly graph: Graph;
  /** By name, in the order in which they were computed. */
  readonly values: ReadonlyMap<string, readonly Expected[]>;
  readonly result: Float64Array;
}

function referenceValues(
  call: {
    readonly phase: string;
    readonly tokens: readonly number[];
    readonly before: number;
    readonly state: StateStore;
  },
  { graphs, traced, weights }: Comparing,
): ReferenceValues {
  const graph = graphs.find(({ name }) => name === call.phase)?.graph;
  if (graph === undefined) throw new RangeError(`no graph of ${call.phase}`);
  const { program } = traced.plan;
  const sizes: Sizes = { ...program.sizes, [program.tokens]: call.tokens.length, [program.before]: call.before };
  const values = new Map<string, Expected[]>();
  const results = prepare(graph).run({
    sizes,
    state: call.state,
    param: (node) => {
      if (node.kind === "input") return tensor([call.tokens.length], call.tokens);
      const value = weights.get(node.name);
      if (value === undefined) throw new RangeError(`%${node.name} is not bound`);
      return value;
    },
    observe: (node, iterations, value) => {
      if (!isComputed(node)) return;
      const data = Float64Array.from(realsOf(value));
      const known = values.get(node.name) ?? [];
      known.push({ node, iterations: [...iterations], tensor: { dims: [...value.dims], data } });
      values.set(node.name, known);
    },
  });
  const outputs = program.phases[phaseNumber(traced, call.phase)]?.outputs ?? [];
  const result = results[outputs.findIndex((o) => isLogits(o.name))];
  return { graph, values, result: result === undefined ? new Float64Array(0) : lastRow(result) };
}

const lastRow = (t: Tensor): Float64Array => Float64Array.from(realsOf(t).subarray(-(t.dims.at(-1) ?? 1)));

function phaseNumber(traced: TracedProgram, name: string): number {
  const at = traced.plan.program.phases.findIndex((phase) => phase.name === name);
  if (at < 0) throw new RangeError(`no phase ${name}`);
  return at;
}

/** What a step that computes a definition should have written; null for one that prepares or copies. */
function expectedOf(seen: SeenStep, { values }: ReferenceValues, turns: Map<string, number>): Expected | null {
  const all = values.get(seen.label);
  if (all === undefined || resultOf(seen) === null) return null;
  if (isOrder(all[0]?.node) && !seen.buffers.some((b) => b.name === "index")) return null;
  const turn = turns.get(seen.label) ?? 0;
  turns.set(seen.label, turn + 1);
  return all[turn] ?? null;
}

const isOrder = (node: Node | undefined): boolean => node?.kind === "top_k" || node?.kind === "argsort";

/** The indices of a selection; else the last buffer that is written. */
function resultOf({ buffers }: SeenStep): SeenBuffer | null {
  const written = buffers.filter((b) => b.access !== "read");
  return written.find((b) => b.name === "index") ?? written.at(-1) ?? null;
}

/** The element that differs most, as a share of the largest magnitude of all; a nan on one side alone is infinitely wrong. */
function largest(expected: Float64Array, found: Float64Array): { readonly error: number; readonly at: number } {
  let scale = Number.MIN_VALUE;
  for (const x of expected) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x));
  let [error, at] = [0, 0];
  for (let i = 0; i < expected.length; i += 1) {
    const [a = Number.NaN, b = Number.NaN] = [expected[i], found[i]];
    if (Object.is(a, b) || a === b) continue;
    const own = Math.abs(a - b) / scale;
    const wrong = Number.isNaN(own) ? Number.POSITIVE_INFINITY : own;
    if (wrong > error) [error, at] = [wrong, i];
  }
  return { error, at };
}

/** The call once more, to see what the step was given: memory is used again, so afterwards that is gone. */
function again(
  { step, value }: Wrong,
  call: { readonly phase: number; readonly tokens: readonly number[]; readonly before: number },
  { traced }: Comparing,
  graph: Graph,
  phase: string,
): Difference {
  const given = new Map<SeenBuffer, Float64Array>();
  const differences: Difference[] = [];
  traced.run(call, {
    before: (seen) => {
      if (seen.step !== step) return;
      for (const buffer of seen.buffers) if (buffer.access !== "write") given.set(buffer, buffer.values());
    },
    after: (seen) => {
      if (seen.step !== step) return;
      const { node, iterations, tensor: expected } = value;
      const result = resultOf(seen);
      const found = result?.values() ?? new Float64Array(0);
      const { error, at } = largest(expected.data, found);
      for (const buffer of seen.buffers) if (buffer.access === "write") given.set(buffer, buffer.values());
      differences.push({
        phase,
        graph,
        node,
        iterations,
        before: call.before,
        tokens: call.tokens.length,
        dims: expected.dims,
        at: placeOf(at, expected.dims),
        reference: expected.data[at] ?? Number.NaN,
        found: found[at] ?? Number.NaN,
        error,
        expected: expected.data,
        step: seen,
        given,
      });
    },
  });
  const [difference] = differences;
  if (difference === undefined) throw new Error("a step has differed once, and not again");
  return difference;
}

/** Indices of an element. */
function placeOf(at: number, dims: readonly number[]): readonly number[] {
  const place: number[] = [];
  let rest = at;
  for (const d of [...dims].reverse()) {
    place.unshift(rest % d);
    rest = Math.floor(rest / d);
  }
  return place;
}
