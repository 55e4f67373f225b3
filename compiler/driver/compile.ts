/** From a checked model to a program and its kernels. */
import type { BoundModel } from "../../dsl/checker/check-project.ts";
import { type BufferElem, type Phase, type Program, programFormat } from "../../runtime/artifact/program.ts";
import { inPhase } from "../directives/directive-error.ts";
import type { StorageRule, StrategyRule } from "../directives/directives.ts";
import { callKinds } from "../directives/phase-calls.ts";
import { noStrategies, type StrategyOf } from "../directives/placed-rules.ts";
import { readDirectives } from "../directives/read-directives.ts";
import { Rules } from "../directives/rules.ts";
import { type Elaborated, type ElaborateOptions, elaborate, withResults } from "../elaborate/elaborate.ts";
import { narrowFormat } from "../elaborate/narrowed.ts";
import { evalDim, type Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Graph, Node } from "../graph/node.ts";
import { printProblem, verify as verifyGraph } from "../graph/verify.ts";
import { nodesOf } from "../graph/walk.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type LookAhead, type Lookup, lookAhead } from "../passes/look-ahead.ts";
import type { Report } from "../passes/pass.ts";
import { checkedPlan } from "../program/check-plan.ts";
import { KernelPool } from "../program/kernel-pool.ts";
import { type BuiltPhase, buildPhase } from "../program/phase-builder.ts";
import type { KernelReport } from "../program/phase-order.ts";
import { StateTable } from "../program/state-table.ts";
import { UnsupportedError } from "../program/unsupported.ts";
import { WeightTable } from "../program/weight-table.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import type { CostTarget } from "../target/target.ts";
import { withBestTokens } from "./best-tokens.ts";
import { callRanges, type RowRange, type RowsWithPlans, rowsWithPlans, wholeRange } from "./call-ranges.ts";
import { decodersFor } from "./decoders.ts";
import { fixedSizes, planOf } from "./phases.ts";
import { decidingPasses, type Passed, phasePasses, rangePasses, runPasses, sharedPasses } from "./pipeline.ts";
import { placesOf } from "./places-of.ts";
import { type PlannedCall, plannedCalls } from "./planned-calls.ts";

/** What a program is made for. */
export interface CompileTarget {
  readonly name: string;
  readonly cost: CostTarget;
  readonly kernel: KernelTarget;
  /** How many of the best tokens calls name that are there to choose one; none without it: the runtime has all logits at hand. */
  readonly bestTokens?: number;
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
  /** Checks graphs after every pass. */
  readonly verify?: boolean;
  /** Whether rows of tables that ids decide are looked up before a call; else tables are weights like others. Without it true. */
  readonly ahead?: boolean;
  /** Choices of fewer rows from memory get no phase for calls that remember no more than that. Without it 256. */
  readonly leastRows?: number;
  /** Told of each kernel of the result when it is lowered, in their order. */
  readonly onKernel?: (lowered: Kernel) => void;
  /**
   * Takes plans without a proof, for who proves each kernel that it is told of and compiles again where one is not proved. Without it
   * kernels are proved, and a plan that is not gives way to another.
   */
  readonly unproved?: boolean;
}
export interface PhaseReport {
  readonly phase: string;
  /** Calls that it is for: tokens, and rows remembered after them; null: any. */
  readonly from: number;
  readonly to: number;
  readonly rows: RowRange | null;
  /** Sizes that it was planned for. */
  readonly sizes: Sizes;
  readonly graph: Graph;
  readonly passes: readonly Report[];
  readonly kernels: readonly KernelReport[];
  /** Tables whose rows it is given, and what numbers them before it. */
  readonly lookups: readonly Pick<Lookup, "input" | "rows">[];
  /** What `numerics` says of a value, by the label of its node. */
  readonly storageOf: (label: string) => StorageRule | null;
}
export interface Compiled {
  readonly program: Program;
  /** Lowered for the target; the program names them. */
  readonly kernels: readonly Kernel[];
  /** The same as schedules wrote them, in the same order. */
  readonly scheduled: readonly Kernel[];
  readonly reports: readonly PhaseReport[];
  /** Rules of schedules for what no phase computes: of another path through the text, or of what is given. */
  readonly unmet: readonly StrategyRule[];
}

export function compileModel(request: CompileRequest): Compiled {
  const { model, declared, entry, target } = request;
  const { calls, draft } = plannedCalls(model, entry);
  const [first] = calls;
  if (first === undefined) throw new UnsupportedError(`the entry ${entry} gives neither next nor logits`);
  const pool = new KernelPool(target.kernel, request);
  const entries = [...new Set(calls.map((c) => c.entry))];
  const rules = new Map(entries.map((e) => [e, new Rules(readDirectives(model, e), callKinds(e, model))] as const));
  const storageOf = (label: string): StorageRule | null => {
    for (const of of rules.values()) if (of.storageOf(label) !== null) return of.storageOf(label);
    return null;
  };
  const weights = new WeightTable((label) => storageOf(label)?.format ?? request.weights);
  const states = new StateTable();
  const plans: Making["plans"] = new Map();
  const made: MadePhase[] = [];
  const ahead: Omit<MadePhase, "planned">[] = [];
  for (const [of, own] of rules) {
    const its = calls.filter((c) => c.entry === of);
    const making = { request, plans, entry: of, rules: own, storageOf, pool, weights, states };
    const results = its.flatMap((c) => c.results);
    const whole = elaborate({ model, declared, entry: of, results, format: own.format });
    const kindOf = ({ results: names, chooses }: PlannedCall): string => JSON.stringify([names, chooses]);
    for (const [i, key] of [...new Set(its.map(kindOf))].entries()) {
      const wanted = its.filter((c) => kindOf(c) === key);
      const given = givenFor(wanted[0], whole, making);
      if (given.ahead !== null && i === 0) ahead.push(aheadPhase(given.ahead, { ...making, ...given }));
      made.push(...phasesFor(wanted, { ...making, ...given }));
    }
    own.settle();
  }
  const [one] = made;
  if (one === undefined) throw new InternalError("no phase was made");
  for (const { call } of made) sameCall(one.call, call);
  // As they were planned: of equals the first is taken.
  const order = calls.flatMap((c) => made.filter((m) => m.planned === c));
  const { call } = one;
  const kept = { model, declared, weights: weights.decls, tables: weights.tables, target: target.kernel, pool };
  const decoders = decodersFor({ ...kept, tokens: call.tokens, before: call.before });
  const program: Program = {
    format: programFormat,
    compiler: request.compiler,
    model: model.name,
    sizes: call.sizes,
    tokens: call.tokens,
    before: call.before,
    entry,
    vocabulary: call.vocabulary,
    context: Math.min(...made.map((m) => m.call.context)),
    weights: weights.decls,
    ignored: weights.ignored(model),
    constants: weights.constants,
    states: states.decls,
    kernels: pool.decls,
    phases: [...order, ...ahead, ...decoders].map((m) => m.phase),
    ...(weights.tables.length === 0 ? {} : { tables: weights.tables }),
    ...(decoders.length === 0 ? {} : { decoders: decoders.map((d) => d.decl) }),
    ...(draft === null ? {} : { draft }),
  };
  const unmet = [...rules.values()].map((r) => r.unmet);
  return {
    program,
    kernels: pool.kernels,
    scheduled: pool.scheduled,
    reports: [...ahead, ...order].map((m) => m.report),
    unmet: (unmet[0] ?? []).filter((rule) => unmet.every((of) => of.includes(rule))),
  };
}

interface MadePhase {
  readonly planned: PlannedCall;
  readonly call: Call;
  readonly phase: Phase;
  readonly report: PhaseReport;
}
interface Making {
  readonly request: CompileRequest;
  /** By entry: where its plans change. */
  readonly plans: Map<string, readonly RowsWithPlans[]>;
  readonly entry: string;
  readonly rules: Rules;
  readonly storageOf: (label: string) => StorageRule | null;
  readonly pool: KernelPool;
  readonly weights: WeightTable;
  readonly states: StateTable;
}

/** An entry with some of its results, before it is planned for calls. */
interface Given {
  readonly elaborated: Elaborated;
  readonly call: Call;
  /** Without what is looked up ahead. */
  readonly graph: Graph;
  readonly ahead: LookAhead | null;
}

function givenFor(planned: PlannedCall | undefined, whole: Elaborated, { request, entry }: Making): Given {
  const asked = withResults(whole, planned?.results ?? []);
  const { bestTokens } = request.target;
  const elaborated = planned?.chooses === true && bestTokens !== undefined ? withBestTokens(asked, bestTokens) : asked;
  const ahead = request.ahead === false ? null : lookAhead(elaborated.builder, elaborated.graph);
  const call = callOf(elaborated, entry, request.leastRows ?? 256);
  return { elaborated, call, graph: ahead?.graph ?? elaborated.graph, ahead };
}

/** For calls of one entry that want the same results: what is shared by them is done once. */
function phasesFor(calls: readonly PlannedCall[], making: Making & Given): readonly MadePhase[] {
  const { request, entry, rules, storageOf, elaborated, call, graph } = making;
  const options = { builder: elaborated.builder, target: request.target.cost, ...verifying(request) };
  const unasked = sizesFor(graph, call, { tokens: 1, before: 0 });
  const shared = runPasses(graph, { ...options, sizes: unasked, passes: sharedPasses });
  const settled = new Map<Graph, Passed>();
  const inRange = (g: Graph): Passed => {
    const known = settled.get(g) ?? runPasses(g, { ...options, sizes: unasked, passes: rangePasses });
    settled.set(g, known);
    return known;
  };
  const logits = elaborated.results.find((r) => r === "next" || r === "logits") ?? "";
  const planAt = (g: Graph, sizes: Sizes): string =>
    planOf(runPasses(inRange(g).graph, { ...options, sizes, passes: decidingPasses }).reports);
  const plans = (): readonly RowsWithPlans[] => {
    const found = rowsWithPlans(shared.graph, call, planAt, making.plans.get(entry));
    making.plans.set(entry, found);
    return found;
  };
  const ranges = calls.flatMap((planned) => {
    const own = planned.once ? [wholeRange(planned, call, shared.graph)] : callRanges(planned, call, plans());
    return own.map((range) => ({ planned, range }));
  });
  return ranges.map(({ planned, range }): MadePhase => {
    const { name, sizes, rows } = range;
    const strategy = rules.place(elaborated, logits, sizes[call.tokens] ?? planned.tokens);
    const before = inRange(range.graph);
    const passed = inPhase(name, () => runPasses(before.graph, { ...options, sizes, passes: phasePasses, strategy }));
    const passes = [...shared.reports, ...before.reports, ...passed.reports];
    rules.met(passed.graph, strategy, passes);
    const order = { name, from: range.from, to: range.to, results: elaborated.results };
    const built = inPhase(name, () => phase(order, { ...making, graph: passed.graph, sizes, strategy }));
    const made: Phase = rows === null ? built.phase : { ...built.phase, rows };
    const calls = { phase: name, from: made.from, to: made.to, rows };
    const kept = { sizes, graph: passed.graph, passes, kernels: built.reports, storageOf };
    return { planned, call, phase: made, report: { ...calls, ...kept, lookups: making.ahead?.lookups ?? [] } };
  });
}

/** Numbers the rows that calls of an entry look up: as many tokens as a call has. */
function aheadPhase({ ahead: graph, names }: LookAhead, making: Making & Given): Omit<MadePhase, "planned"> {
  const { request, entry, storageOf, elaborated, call } = making;
  const name = aheadName(request, entry);
  const sizes = sizesFor(graph, call, { tokens: 1, before: 511 });
  const passes = [...sharedPasses, ...rangePasses, ...phasePasses];
  const options = { builder: elaborated.builder, target: request.target.cost, ...verifying(request) };
  const passed = runPasses(graph, { ...options, sizes, passes });
  const order = { name, results: names, from: 1, to: Number.POSITIVE_INFINITY };
  const placing = { ...making, graph: passed.graph, sizes, strategy: noStrategies, ahead: null };
  const built = inPhase(name, () => phase(order, placing));
  const kept = { sizes, graph: passed.graph, passes: passed.reports, kernels: built.reports, storageOf };
  const report = { phase: name, from: built.phase.from, to: built.phase.to, rows: null, ...kept, lookups: [] };
  return { call, phase: built.phase, report };
}
const aheadName = ({ entry: main }: CompileRequest, entry: string): string =>
  entry === main ? "ahead" : `ahead_${entry}`;

/** A session counts the tokens of all entries with the same names. */
function sameCall(a: Call, b: Call): void {
  if (a.tokens !== b.tokens || a.before !== b.before || a.vocabulary !== b.vocabulary)
    throw new UnsupportedError("entries of a loop count tokens and memory by different names");
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
  readonly leastRows: number;
}

function callOf({ graph, inputs }: Elaborated, entry: string, leastRows: number): Call {
  const [below, ...more] = [...inputs.values()].filter((of) => of !== null);
  if (below === undefined || more.length > 0)
    throw new UnsupportedError(
      `the entry ${entry} wants ${[...inputs.keys()].join(", ")}; a program takes the ids of tokens, and real numbers`,
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
    leastRows,
  };
}

function sizesFor(g: Graph, call: Call, { tokens, before }: Pick<PlannedCall, "tokens" | "before">): Sizes {
  const within = (n: string, value: number): number => {
    const range = g.sizes.get(n);
    return range === undefined ? value : Math.min(Math.max(value, range.low), range.high);
  };
  return { ...call.sizes, [call.tokens]: within(call.tokens, tokens), [call.before]: within(call.before, before) };
}

interface Placing extends Making, Given {
  readonly sizes: Sizes;
  readonly strategy: StrategyOf;
}

function phase(planned: Pick<PlannedCall, "name" | "results" | "from" | "to">, placing: Placing): BuiltPhase {
  const { request, entry, elaborated, call, pool, weights, states, graph, sizes, ahead } = placing;
  const { model, target } = request;
  const to = Math.min(planned.to, call.most);
  const fixed = planned.from === to ? { ...call.sizes, [call.tokens]: to } : call.sizes;
  for (const n of nodesOf(graph)) if (n.kind === "weight") weights.add(n, elaborated, model, call.sizes);
  const lookups = (ahead?.lookups ?? []).map(({ table, input, rows }) => {
    const number = weights.table(table, elaborated, model, call.sizes);
    return { input, table: number, phase: aheadName(request, entry), rows };
  });
  // The ids first.
  const names = [...elaborated.inputs].sort(([, a], [, b]) => Number(a === null) - Number(b === null));
  const built = buildPhase({
    name: planned.name,
    entry,
    results: planned.results,
    from: planned.from,
    to,
    graph,
    fixed,
    planned: sizes,
    tokens: call.tokens,
    before: call.before,
    target: target.kernel,
    pool,
    strategy: placing.strategy,
    where: placesOf(elaborated),
    elemOf: (n) => (n.kind === "weight" ? weights.elemOf(n) : elemOf(n)),
    inputs: [...names.map(([name]) => name), ...lookups.map((l) => l.input)],
    lookups,
    given: (n) => weights.binding(n),
    state: (n, copies, row) => states.add(n, { entry, copies, row, elem: elemOf(n) }),
  });
  checkedPlan(built.phase, sizes);
  return built;
}
/** How values are kept: whole numbers as i64 and i32, reals as f32, where the text does not round them to less. */
function elemOf(n: Node): BufferElem {
  const { dtype } = n.type;
  const narrow = narrowFormat(n);
  if (narrow !== null) return narrow;
  if (dtype === "bool" || dtype === "i64") return dtype;
  return dtype === "i32" || dtype === "i8" || dtype === "u8" ? "i32" : "f32";
}
