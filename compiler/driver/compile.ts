/** From a checked model to a program and its kernels. */
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import { type BufferElem, type Phase, type Program, programFormat } from "../../runtime/artifact/program.ts";
import { inPhase } from "../directives/directive-error.ts";
import type { StorageRule, StrategyRule } from "../directives/directives.ts";
import { callKinds } from "../directives/phase-calls.ts";
import type { StrategyOf } from "../directives/placed-rules.ts";
import { readDirectives } from "../directives/read-directives.ts";
import { Rules } from "../directives/rules.ts";
import { type Elaborated, type ElaborateOptions, elaborate } from "../elaborate/elaborate.ts";
import { narrowFormat } from "../elaborate/narrowed.ts";
import { evalDim, type Sizes } from "../graph/dim.ts";
import type { Graph, Node } from "../graph/node.ts";
import { printProblem, verify as verifyGraph } from "../graph/verify.ts";
import { nodesOf } from "../graph/walk.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Report } from "../passes/pass.ts";
import { checkedPlan } from "../program/check-plan.ts";
import { KernelPool } from "../program/kernel-pool.ts";
import { type BuiltPhase, buildPhase, type KernelReport } from "../program/phase-builder.ts";
import { StateTable } from "../program/state-table.ts";
import { UnsupportedError } from "../program/unsupported.ts";
import { WeightTable } from "../program/weight-table.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import type { CostTarget } from "../target/target.ts";
import { fixedSizes } from "./phases.ts";
import { phasePasses, runPasses, sharedPasses } from "./pipeline.ts";

/** What a program is made for. */
export interface CompileTarget {
  readonly name: string;
  readonly cost: CostTarget;
  readonly kernel: KernelTarget;
}
export interface CompileRequest {
  readonly model: BoundModel;
  readonly declared: ElaborateOptions["declared"];
  readonly entry: string;
  readonly target: CompileTarget;
  /** How real weights are kept. */
  readonly weights: "f32" | "bf16" | "f16";
  /** Of dsc. */
  readonly compiler: string;
  /** Checks graphs after every pass. Kernels are always proved. */
  readonly verify?: boolean;
}
export interface PhaseReport {
  readonly phase: string;
  /** Sizes that it was planned for. */
  readonly sizes: Sizes;
  readonly graph: Graph;
  readonly passes: readonly Report[];
  readonly kernels: readonly KernelReport[];
  /** What `numerics` says of a value, by the label of its node. */
  readonly storageOf: (label: string) => StorageRule | null;
}
export interface Compiled {
  readonly program: Program;
  /** Lowered for the target; the program names them. */
  readonly kernels: readonly Kernel[];
  readonly reports: readonly PhaseReport[];
  /** Rules of schedules for what no phase computes: of another path through the text, or of what is given. */
  readonly unmet: readonly StrategyRule[];
}

/** The calls a program is made for: a result, and how many tokens. */
interface Kind {
  readonly name: string;
  readonly result: "next" | "logits";
  readonly from: number;
  readonly to: number;
  /** What it is planned for. */
  readonly tokens: number;
  readonly before: number;
}
const kinds: readonly Kind[] = [
  { name: "decode", result: "next", from: 1, to: 1, tokens: 1, before: 511 },
  { name: "prefill", result: "next", from: 2, to: Number.POSITIVE_INFINITY, tokens: 128, before: 0 },
  { name: "score", result: "logits", from: 1, to: Number.POSITIVE_INFINITY, tokens: 128, before: 0 },
];

export function compileModel(request: CompileRequest): Compiled {
  const { model, entry, target } = request;
  const results = model.path.entries.get(entry)?.decl.results.map((r) => r.name.text) ?? [];
  const pool = new KernelPool(target.kernel);
  const rules = new Rules(readDirectives(model, entry), callKinds(entry, model));
  const weights = new WeightTable((label) => rules.storageOf(label)?.format ?? request.weights);
  const states = new StateTable();
  const phases: Phase[] = [];
  const reports: PhaseReport[] = [];
  let call: Call | null = null;
  for (const result of ["next", "logits"] as const) {
    if (!results.includes(result)) continue;
    const { declared } = request;
    const elaborated = elaborate({ model, declared, entry, results: [result], format: rules.format });
    const own = callOf(elaborated, entry);
    call = own;
    const options = { builder: elaborated.builder, target: target.cost, ...verifying(request) };
    const shared = runPasses(elaborated.graph, {
      ...options,
      sizes: sizesFor(elaborated.graph, own, { tokens: 1, before: 0 }),
      passes: sharedPasses,
    });
    for (const kind of kinds.filter((k) => k.result === result)) {
      const sizes = sizesFor(elaborated.graph, own, kind);
      const strategy = rules.place(elaborated, result, sizes[own.tokens] ?? kind.tokens);
      const passed = inPhase(kind.name, () =>
        runPasses(shared.graph, { ...options, sizes, passes: phasePasses, strategy }),
      );
      const passes = [...shared.reports, ...passed.reports];
      rules.met(passed.graph, strategy, passes);
      const made = inPhase(kind.name, () =>
        phase(kind, {
          request,
          elaborated,
          call: own,
          pool,
          weights,
          states,
          graph: passed.graph,
          planned: sizes,
          strategy,
        }),
      );
      checkedPlan(made.phase, sizes);
      phases.push(made.phase);
      reports.push({
        phase: kind.name,
        sizes,
        graph: passed.graph,
        passes,
        kernels: made.reports,
        storageOf: rules.storageOf,
      });
    }
  }
  rules.settle();
  if (call === null) throw new UnsupportedError(`the entry ${entry} gives neither next nor logits`);
  const program: Program = {
    format: programFormat,
    compiler: request.compiler,
    model: model.name,
    sizes: call.sizes,
    tokens: call.tokens,
    before: call.before,
    vocabulary: call.vocabulary,
    context: call.context,
    weights: weights.decls,
    ignored: weights.ignored(model),
    constants: weights.constants,
    states: states.decls,
    kernels: pool.decls,
    phases,
  };
  return { program, kernels: pool.kernels, reports, unmet: rules.unmet };
}

const verifying = ({ verify = false }: CompileRequest) =>
  verify ? { verify: (g: Graph) => verifyGraph(g).map(printProblem) } : {};

/** What a call of the entry is made of. */
interface Call {
  readonly tokens: string;
  readonly before: string;
  readonly vocabulary: number;
  readonly context: number;
  readonly sizes: Sizes;
  /** Most tokens of a call. */
  readonly most: number;
}

function callOf({ graph, inputs }: Elaborated, entry: string): Call {
  const [input, ...others] = inputs.keys();
  const below = input === undefined ? null : (inputs.get(input) ?? null);
  if (others.length > 0 || below === null)
    throw new UnsupportedError(
      `the entry ${entry} wants ${[...inputs.keys()].join(", ")}; a program takes the ids of tokens alone`,
    );
  const sizes = fixedSizes(graph);
  const open = [...graph.sizes].filter(([name]) => sizes[name] === undefined);
  const before = open.filter(([, { low }]) => low === 0);
  const tokens = open.filter(([, { low }]) => low !== 0);
  if (tokens.length !== 1 || before.length > 1)
    throw new UnsupportedError(`the entry ${entry} has other sizes than tokens and memory`);
  const [name = "T", range] = tokens[0] ?? [];
  const [rows = "S0", remembered] = before[0] ?? [];
  return {
    tokens: name,
    before: rows,
    vocabulary: evalDim(below, sizes),
    context: remembered === undefined ? (range?.high ?? 1) : remembered.high + 1,
    sizes,
    most: range?.high ?? 1,
  };
}

function sizesFor(g: Graph, call: Call, { tokens, before }: Pick<Kind, "tokens" | "before">): Sizes {
  const within = (n: string, value: number): number => {
    const range = g.sizes.get(n);
    return range === undefined ? value : Math.min(Math.max(value, range.low), range.high);
  };
  return { ...call.sizes, [call.tokens]: within(call.tokens, tokens), [call.before]: within(call.before, before) };
}

interface Making {
  readonly request: CompileRequest;
  readonly elaborated: Elaborated;
  readonly call: Call;
  readonly pool: KernelPool;
  readonly weights: WeightTable;
  readonly states: StateTable;
  readonly graph: Graph;
  readonly planned: Sizes;
  readonly strategy: StrategyOf;
}

function phase(kind: Kind, making: Making): BuiltPhase {
  const { request, elaborated, call, pool, weights, states, graph, planned } = making;
  const to = Math.min(kind.to, call.most);
  const fixed = kind.from === to ? { ...call.sizes, [call.tokens]: to } : call.sizes;
  for (const n of nodesOf(graph)) if (n.kind === "weight") weights.add(n, elaborated, request.model, call.sizes);
  return buildPhase({
    name: kind.name,
    result: kind.result,
    from: kind.from,
    to,
    graph,
    fixed,
    planned,
    tokens: call.tokens,
    before: call.before,
    target: request.target.kernel,
    pool,
    strategy: making.strategy,
    elemOf: (n) => (n.kind === "weight" ? weights.elemOf(n) : elemOf(n)),
    given: (n) => (n.kind === "input" ? { kind: "ids" } : weights.binding(n)),
    state: (n, copies, row) => states.add(n, copies, row, elemOf(n)),
  });
}
/** How values are kept: whole numbers as i32, reals as f32 where the text does not keep them in less. */
function elemOf(n: Node): BufferElem {
  const { dtype } = n.type;
  const narrow = narrowFormat(n);
  if (narrow !== null) return narrow;
  if (dtype === "bool") return "bool";
  return dtype === "i64" || dtype === "i32" || dtype === "i8" || dtype === "u8" ? "i32" : "f32";
}
