/** Phases of a file: that steps call what there is, with what fits it, while it lives. */
import { tokenChoices } from "./best-tokens.ts";
import { elemNames } from "./elems.ts";
import type {
  ArenaBuffer,
  Binding,
  BufferElem,
  Call,
  ConstantDecl,
  Input,
  KernelDecl,
  Lookup,
  Output,
  Phase,
  Repeat,
  SizeExpr,
  StateDecl,
  Step,
  TableDecl,
  WeightDecl,
} from "./program.ts";
import { readSizeExpr } from "./read-size-expr.ts";
import { type At, corrupt, count, list, member, orNull, text, word } from "./read-value.ts";

export interface PhaseFacts {
  readonly weights: readonly WeightDecl[];
  readonly constants: readonly ConstantDecl[];
  readonly tables: readonly TableDecl[];
  readonly states: readonly StateDecl[];
  readonly kernels: readonly KernelDecl[];
  /** Sizes of a call. */
  readonly names: ReadonlySet<string>;
}

const mostSteps = 65_536;
const mostBuffers = 4096;
const mostInputs = 16;
const mostCalls = 2 ** 16;
/** Names and numbers that are evaluated for all calls of a phase, repeats unrolled: what linking it costs. */
const mostTerms = 2 ** 20;
const deepestRepeat = 8;
const i32Max = 2 ** 31 - 1;

export function readPhase(at: At, facts: PhaseFacts): Phase {
  const from = count(member(at, "from"), i32Max, 1);
  const inputs = list(member(at, "inputs"), mostInputs, (a): Input => readInput(a, facts));
  const lookups = orNull(member(at, "lookups"), (l) => list(l, mostInputs, (a) => readLookup(a, inputs, facts))) ?? [];
  const buffers = list(member(at, "buffers"), mostBuffers, (a): ArenaBuffer => readBuffer(a, facts));
  const reader = new StepReader(facts, inputs, buffers);
  const steps = list(member(at, "steps"), mostSteps, (a) => reader.step(a, facts.names, 0, 1));
  if (reader.leaves === 0) throw corrupt(`${at.path}.steps`, "nothing is called");
  for (const [i, { live }] of buffers.entries())
    if (live[1] >= reader.leaves) throw corrupt(`${at.path}.buffers[${i}].live`, `there are ${reader.leaves} steps`);
  const outputs = list(member(at, "outputs"), mostInputs, (output): Output => {
    const binding = reader.binding(member(output, "at"), facts.names, reader.leaves - 1);
    const elem = word(member(output, "elem"), elemNames);
    if (reader.elemOf(binding) !== elem) throw corrupt(`${output.path}.elem`, "not that of the buffer");
    return { name: text(member(output, "name")), at: binding, elem, dims: readDims(output, facts) };
  });
  if (outputs.length === 0) throw corrupt(`${at.path}.outputs`, "there is none");
  refuseTwice(outputs, `${at.path}.outputs`);
  refuseTwice(inputs, `${at.path}.inputs`);
  return {
    name: text(member(at, "name"), 256),
    entry: text(member(at, "entry"), 256),
    from,
    to: count(member(at, "to"), i32Max, from),
    ...readRows(member(at, "rows")),
    inputs,
    ...(lookups.length === 0 ? {} : { lookups }),
    buffers,
    steps,
    outputs,
  };
}

function readRows(at: At): Pick<Phase, "rows"> {
  if (at.value === undefined) return {};
  const from = count(member(at, "from"), i32Max, 1);
  return { rows: { from, to: count(member(at, "to"), i32Max, from) } };
}

function readInput(at: At, facts: PhaseFacts): Input {
  return {
    name: text(member(at, "name")),
    elem: word(member(at, "elem"), ["i32", "f32"]),
    dims: readDims(at, facts),
  };
}

function readLookup(at: At, inputs: readonly Input[], { tables }: PhaseFacts): Lookup {
  const input = count(member(at, "input"), inputs.length - 1, 1);
  if (inputs[input]?.elem !== "f32") throw corrupt(`${at.path}.input`, "rows are f32");
  return {
    input,
    table: count(member(at, "table"), tables.length - 1),
    phase: text(member(at, "phase"), 256),
    rows: text(member(at, "rows"), 4096),
  };
}

function readDims(at: At, { names }: PhaseFacts): readonly SizeExpr[] {
  const dims = list(member(at, "dims"), 8, (a) => readSizeExpr(a, names));
  if (dims.length === 0) throw corrupt(`${at.path}.dims`, "no extents");
  return dims;
}

function refuseTwice(named: readonly { readonly name: string }[], path: string): void {
  const names = named.map((n) => n.name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw corrupt(path, `two are called ${JSON.stringify(twice)}`);
}

function readBuffer(at: At, { names }: PhaseFacts): ArenaBuffer {
  const live = list(member(at, "live"), 2, (a) => count(a, mostSteps));
  const [first, last] = live;
  if (first === undefined || last === undefined || last < first)
    throw corrupt(`${at.path}.live`, "expected first and last step");
  return {
    name: text(member(at, "name")),
    elem: word(member(at, "elem"), elemNames),
    size: readSizeExpr(member(at, "size"), names),
    live: [first, last],
  };
}

const termsOf = (e: SizeExpr): number => (typeof e === "object" ? termsOf(e[1]) + termsOf(e[2]) : 1);
const expressionsOf = (b: Binding): readonly SizeExpr[] => (b.kind === "state" ? [b.copy, b.row] : [b.offset ?? 0]);

class StepReader {
  /** Leaf steps so far, in the order written. */
  leaves = 0;
  #calls = 0;
  #terms = 0;
  readonly #facts: PhaseFacts;
  readonly #inputs: readonly Input[];
  readonly #buffers: readonly ArenaBuffer[];
  constructor(facts: PhaseFacts, inputs: readonly Input[], buffers: readonly ArenaBuffer[]) {
    this.#facts = facts;
    this.#inputs = inputs;
    this.#buffers = buffers;
  }

  /** `times`: how often it runs, by the repeats around it. */
  step(at: At, names: ReadonlySet<string>, depth: number, times: number): Step {
    if (depth > deepestRepeat) throw corrupt(at.path, `repeats nested deeper than ${deepestRepeat}`);
    return word(member(at, "kind"), ["call", "repeat"]) === "call"
      ? this.#call(at, names, times)
      : this.#repeat(at, names, depth, times);
  }

  #call(at: At, names: ReadonlySet<string>, times: number): Call {
    const { kernels } = this.#facts;
    const kernel = count(member(at, "kernel"), kernels.length - 1);
    const decl = kernels[kernel];
    if (decl === undefined) throw corrupt(at.path, "no such kernel");
    const step = this.leaves;
    this.leaves += 1;
    this.#calls += times;
    if (this.#calls > mostCalls) throw corrupt(at.path, `more than ${mostCalls} calls`);
    const buffers = list(member(at, "buffers"), 64, (a, i) => {
      const binding = this.binding(a, names, step);
      const wanted = decl.buffers[i];
      if (wanted !== undefined && this.elemOf(binding) !== wanted.elem)
        throw corrupt(a.path, `${decl.name} has ${wanted.elem} there, this is ${this.elemOf(binding)}`);
      if (wanted !== undefined && wanted.access !== "read" && binding.kind !== "arena" && binding.kind !== "state")
        throw corrupt(a.path, `${decl.name} writes there`);
      return binding;
    });
    if (buffers.length !== decl.buffers.length)
      throw corrupt(`${at.path}.buffers`, `${decl.name} has ${decl.buffers.length}`);
    const sizes = list(member(at, "sizes"), 64, (a) => readSizeExpr(a, names));
    if (sizes.length !== decl.sizes.length) throw corrupt(`${at.path}.sizes`, `${decl.name} has ${decl.sizes.length}`);
    const own = [...decl.buffers.map((b) => b.extent), ...decl.grid, ...sizes, ...buffers.flatMap(expressionsOf)];
    this.#terms += times * own.reduce<number>((n, e) => n + termsOf(e), 0);
    if (this.#terms > mostTerms) throw corrupt(at.path, `more than ${mostTerms} terms of sizes in all calls`);
    const choice = orNull(member(at, "choice"), (a) => word(a, tokenChoices));
    const label = text(member(at, "label"), 65_536);
    return { kind: "call", kernel, buffers, sizes, label, ...(choice === null ? {} : { choice }) };
  }

  #repeat(at: At, names: ReadonlySet<string>, depth: number, times: number): Repeat {
    const rounds = count(member(at, "count"), 65_536, 1);
    const index = text(member(at, "index"), 256);
    if (names.has(index)) throw corrupt(`${at.path}.index`, `${JSON.stringify(index)} is a size already`);
    const first = this.leaves;
    const inner = new Set([...names, index]);
    const body = list(member(at, "body"), mostSteps, (a) => this.step(a, inner, depth + 1, times * rounds));
    const last = this.leaves - 1;
    if (last < first) throw corrupt(`${at.path}.body`, "nothing is called");
    const swapped = new Set<number>();
    const swap = list(member(at, "swap"), mostSteps, (pair): readonly [number, number] => {
      const [a, b] = list(pair, 2, (one) => count(one, this.#buffers.length - 1));
      if (a === undefined || b === undefined || a === b) throw corrupt(pair.path, "expected two buffers");
      for (const i of [a, b]) {
        const live = this.#buffers[i]?.live ?? [0, -1];
        if (swapped.has(i)) throw corrupt(pair.path, `buffer ${i} is in another pair`);
        if (live[0] > first || live[1] < last) throw corrupt(pair.path, `buffer ${i} does not live all of the repeat`);
        swapped.add(i);
      }
      if (this.#buffers[a]?.elem !== this.#buffers[b]?.elem) throw corrupt(pair.path, "of different elements");
      return [a, b];
    });
    return { kind: "repeat", count: rounds, index, swap, body };
  }

  /** As the step of this ordinal uses it. */
  binding(at: At, names: ReadonlySet<string>, step: number): Binding {
    const { weights, constants, states } = this.#facts;
    const kind = word(member(at, "kind"), ["arena", "weight", "constant", "state", "input"]);
    const offsetAt = member(at, "offset");
    const offset = offsetAt.value === undefined ? {} : { offset: readSizeExpr(offsetAt, names) };
    switch (kind) {
      case "arena": {
        const buffer = count(member(at, "buffer"), this.#buffers.length - 1);
        const live = this.#buffers[buffer]?.live ?? [0, -1];
        if (step < live[0] || step > live[1]) throw corrupt(at.path, `step ${step} is not in the life of its buffer`);
        return { kind, buffer, ...offset };
      }
      case "weight":
        return { kind, weight: count(member(at, "weight"), weights.length - 1), ...offset };
      case "constant":
        return { kind, constant: count(member(at, "constant"), constants.length - 1), ...offset };
      case "state":
        return {
          kind,
          state: count(member(at, "state"), states.length - 1),
          copy: readSizeExpr(member(at, "copy"), names),
          row: readSizeExpr(member(at, "row"), names),
        };
      case "input":
        return { kind, input: count(member(at, "input"), this.#inputs.length - 1), ...offset };
      default:
        return kind satisfies never;
    }
  }

  elemOf(binding: Binding): BufferElem | undefined {
    const { weights, constants, states } = this.#facts;
    switch (binding.kind) {
      case "arena":
        return this.#buffers[binding.buffer]?.elem;
      case "weight":
        return weights[binding.weight]?.elem;
      case "constant":
        return constants[binding.constant]?.elem;
      case "state":
        return states[binding.state]?.elem;
      case "input":
        return this.#inputs[binding.input]?.elem;
      default:
        return binding satisfies never;
    }
  }
}
