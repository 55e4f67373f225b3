/** The steps of one phase: kernels of its graph in order, where their buffers are, and how long each lives. */
import type { Binding, BufferElem, Input, Output, Phase, SizeExpr } from "../../runtime/artifact/program.ts";
import type { StrategyRule } from "../directives/directives.ts";
import type { StrategyOf } from "../directives/placed-rules.ts";
import { constantOf, type Dim, productOf, type Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import { isWide } from "../graph/interpret/wide.ts";
import type { Append, Argsort, Computed, Graph, MapNode, Node, Param, Repeat, State, TopK } from "../graph/node.ts";
import { axis, name, read } from "../graph/scalar.ts";
import { isComputed, nodesOf, regions, useCounts } from "../graph/walk.ts";
import * as ir from "../kernel/expr.ts";
import type { Expr, Kernel } from "../kernel/kernel.ts";
import { dimExpr, dimSize, namesIn } from "../schedule/lift/spell-dim.ts";
import { buffersOf } from "../schedule/nest/given.ts";
import { makeNest } from "../schedule/nest/make-nest.ts";
import type { Nest } from "../schedule/nest/nest.ts";
import type { Scheduled, ScheduleOptions } from "../schedule/schedule-map.ts";
import { chooseKeeping, chooseSelection, keysAtOnce, selection } from "../schedule/selection.ts";
import { keepBest, keepSpaces, sortKept } from "../schedule/sort-keep.ts";
import { keyWhere, sortKey } from "../schedule/sort-keys.ts";
import { choosePermutation, sortPermutation } from "../schedule/sort-permutation.ts";
import type { KernelTarget } from "../target/kernel-target.ts";
import { type KernelPool, sizeOf } from "./kernel-pool.ts";
import { KernelSizes, type PhaseSizes } from "./kernel-sizes.ts";
import { Places } from "./places.ts";
import { type LabelledCall, livesIn, type PlannedStep, settledSteps } from "./planned-steps.ts";
import { blockSizes, pointsOfBlock, sizesOfBlock } from "./row-blocks.ts";
import { plus, sizeOfScalar, times } from "./size-of-scalar.ts";
import { UnsupportedError } from "./unsupported.ts";

/** How one node was scheduled, for `explain`. */
export interface KernelReport {
  readonly node: Computed;
  readonly kernel: string;
  readonly says: string;
  readonly refused: readonly string[];
  /** What the text says of it. */
  readonly rule: StrategyRule | null;
  /** Where the text defines it; null of what it does not name. */
  readonly where: string | null;
  /** Rounds of the repeats around it. */
  readonly times: number;
  /** The launch of the phase that it is part of. */
  readonly launch: number;
}

export interface PhaseOrder extends PhaseSizes {
  readonly name: string;
  readonly entry: string;
  /** Names of the graph's results, in its order. */
  readonly results: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly target: KernelTarget;
  readonly pool: KernelPool;
  readonly strategy: StrategyOf;
  /** Where the text defines what a label names; without it nobody is told. */
  readonly where?: (label: string) => string | null;
  readonly elemOf: (n: Node) => BufferElem;
  /** Names of the inputs, in the order in which a call gives them. */
  readonly inputs: readonly string[];
  /** Which of them are rows of tables. */
  readonly lookups?: readonly PlacedLookup[];
  /** Where weights are, and inputs that are not among `inputs`. */
  readonly given: (n: Param) => Binding;
  readonly state: (n: State, copies: number, row: number) => number;
}

/** Some points of a long axis. */
interface Block {
  /** Sizes that its kernels are given, beside those of calls: what they are, and their ranges. */
  readonly sizes: ReadonlyMap<string, SizeExpr>;
  readonly ranges: Graph["sizes"];
  /** What schedules are chosen for. */
  readonly planned: Sizes;
  /** What stands for rows of a tensor, with the tensor. */
  readonly parts: ReadonlyMap<Node, Node>;
}
export interface PlacedLookup {
  readonly input: string;
  readonly table: number;
  readonly phase: string;
  readonly rows: string;
}

export interface BuiltPhase {
  readonly phase: Phase;
  readonly reports: readonly KernelReport[];
}

export const buildPhase = (order: PhaseOrder): BuiltPhase => new PhaseBuilder(order).build();

/** As many are checked at once. */
const fewTokens = 8;

class PhaseBuilder {
  readonly #o: PhaseOrder;
  readonly #sizes: KernelSizes;
  readonly #nodes: readonly Node[];
  readonly #region: ReadonlyMap<Node, Repeat>;
  readonly #uses: ReadonlyMap<Node, number>;
  readonly #counts: ReadonlyMap<Node, Dim>;
  readonly #loops = new Map<Node, string>();
  readonly #places = new Places();
  readonly #appends: readonly Append[];
  readonly #inputs: readonly Input[];
  readonly #reports: (Omit<KernelReport, "kernel" | "launch"> & { readonly call: LabelledCall })[] = [];
  #steps: PlannedStep[] = [];
  #times = 1;

  constructor(o: PhaseOrder) {
    this.#o = o;
    this.#sizes = new KernelSizes(o);
    this.#nodes = nodesOf(o.graph);
    this.#region = regions(this.#nodes);
    this.#uses = useCounts(o.graph);
    this.#appends = this.#nodes.flatMap((n) => (n.kind === "append" ? [n] : []));
    this.#inputs = this.#inputsOf(o);
    this.#counts = new Map(this.#nodes.flatMap((n) => (n.kind === "repeat" ? [[n.index, n.count] as const] : [])));
  }

  build(): BuiltPhase {
    const { graph, name: phaseName, entry, results, from, to, target, tokens } = this.#o;
    const wide = target.i64 ? undefined : this.#nodes.find((n) => n.type.dtype === "i64");
    if (wide !== undefined)
      throw new UnsupportedError(`%${wide.name} holds whole numbers of 64 bits, which ${target.name} does not have`);
    for (const n of this.#nodes) this.#given(n);
    this.#fill(null);
    const at = graph.results.map((out) => (isComputed(out) ? this.#places.of(out) : this.#copied(out, "result")));
    for (const place of at)
      if (place.kind === "arena") this.#places.touch(place.buffer, Math.max(0, this.#places.ordinal - 1));
    const outputs = graph.results.map((out, i): Output => {
      const place = at[i];
      if (place === undefined) throw new InternalError("a result is nowhere");
      return { name: results[i] ?? out.name, at: place, elem: this.#o.elemOf(out), dims: this.#extents(out) };
    });
    const lookups = (this.#o.lookups ?? []).flatMap(({ input, ...of }) => {
      const at = this.#inputs.findIndex((i) => i.name === input);
      return at < 0 ? [] : [{ input: at, ...of }];
    });
    // Where calls are short, each launch counts; where they are long, what is kept for longer does.
    const joins =
      target.mostBuffers === null || to > fewTokens
        ? null
        : { target, most: (name: string) => (name === tokens ? to : undefined) };
    const { steps, calls } = settledSteps(this.#steps, this.#o.pool, joins);
    const phase: Phase = {
      name: phaseName,
      entry,
      from,
      to,
      inputs: this.#inputs,
      ...(lookups.length === 0 ? {} : { lookups }),
      buffers: joins === null ? this.#places.buffers : livesIn(steps, this.#places.buffers, at),
      steps,
      outputs,
    };
    const reports = this.#reports.map(({ call, ...report }): KernelReport => {
      const { kernel, launch } = calls.get(call) ?? { kernel: "", launch: 0 };
      return { ...report, kernel, launch };
    });
    return { phase, reports };
  }

  /** What is there before the first step. */
  #given(n: Node): void {
    if (n.kind === "weight") this.#places.put(n, this.#o.given(n));
    if (n.kind === "input") this.#places.put(n, this.#input(n));
    if (n.kind === "state") this.#places.put(n, { kind: "state", state: this.#state(n), copy: 0, row: 0 });
  }
  #input(n: Param): Binding {
    const input = this.#inputs.findIndex(({ name: of }) => of === n.name);
    return input < 0 ? this.#o.given(n) : { kind: "input", input };
  }
  /** The ids of the tokens, read or not, and what else is read. */
  #inputsOf({ inputs, tokens, elemOf }: PhaseOrder): readonly Input[] {
    const read = new Map(this.#nodes.map((n) => [n.name, n] as const));
    return inputs.flatMap((of, i): readonly Input[] => {
      const n = read.get(of);
      if (n?.kind !== "input" && n?.kind !== "weight")
        return i === 0 ? [{ name: of, elem: "i32", dims: [tokens] }] : [];
      return [{ name: of, elem: elemOf(n) === "i32" ? "i32" : "f32", dims: this.#extents(n) }];
    });
  }
  #extents(n: Node): readonly SizeExpr[] {
    return n.type.dims.map((d) => dimSize(this.#sizes.ofCalls.dim(d)));
  }
  #state(n: State): number {
    const lead = this.#leading(n);
    const dims = n.type.dims.map(this.#sizes.ofCalls.dim);
    const copies = whole(productOf(dims.slice(0, lead)), n);
    const row = whole(productOf(dims.slice(lead + 1)), n);
    return this.#o.state(n, copies, row);
  }
  /** Leading axes of a state, before its rows. */
  #leading(n: State): number {
    const append = this.#appends.find((a) => a.state === n);
    if (append !== undefined) return append.at.length;
    const rows = n.type.dims.findIndex((d) => namesIn(d).has(this.#o.before));
    return Math.max(0, rows);
  }

  #fill(region: Repeat | null): void {
    for (const n of this.#nodes) {
      if ((this.#region.get(n) ?? null) !== region) continue;
      if (n.kind === "map") this.#map(n);
      else if (n.kind === "top_k") this.#topK(n);
      else if (n.kind === "argsort") this.#argsort(n);
      else if (n.kind === "append") this.#append(n);
      else if (n.kind === "repeat") this.#repeat(n);
    }
  }

  #elements(n: Node): SizeExpr {
    return dimSize(productOf(n.type.dims.map(this.#sizes.ofCalls.dim)));
  }
  /** Memory for what a node computes: rows of a state where that is where they go, else memory of the call. */
  #room(n: Computed): Binding {
    if (this.#places.has(n)) return this.#places.of(n);
    const at = this.#inState(n) ?? {
      kind: "arena" as const,
      buffer: this.#places.buffer(n.name, this.#o.elemOf(n), this.#elements(n)),
    };
    this.#places.put(n, at);
    return at;
  }
  #inState(n: Computed): Binding | null {
    const [append, ...others] = this.#appends.filter((a) => a.rows === n);
    if (append === undefined || others.length > 0 || this.#region.get(append) !== this.#region.get(n)) return null;
    if (this.#o.elemOf(n) !== this.#o.elemOf(append.state)) return null;
    return this.#rowsOf(append, this.#o.before);
  }
  #rowsOf(a: Append, row: SizeExpr): Binding {
    const dims = a.state.type.dims.map(this.#sizes.ofCalls.dim);
    let copy: SizeExpr = 0;
    for (const [i, at] of a.at.entries()) {
      const stride = whole(productOf(dims.slice(i + 1, a.at.length)), a);
      copy = plus(copy, times(sizeOfScalar(at, this.#loop), stride));
    }
    return { kind: "state", state: this.#state(a.state), copy, row: this.#o.fixed[String(row)] ?? row };
  }
  readonly #loop = (n: Node): string => {
    const known = this.#loops.get(n);
    if (known === undefined) throw new InternalError(`%${n.name} is no index of a repeat that is open`);
    return known;
  };

  #nest(n: Computed, points: Parameters<typeof makeNest>[1], block: Block | null = null): Nest {
    const { elemOf, target } = this.#o;
    const nest = makeNest(n, points, {
      special: this.#sizes.ofKernels,
      ranges: block === null ? this.#sizes.ranges : new Map([...this.#sizes.ranges, ...block.ranges]),
      counts: this.#counts,
      elemOf: (x) => elemOf(block?.parts.get(x) ?? x),
      mostElements: target.mostElements,
      windowBytes: target.windowBytes,
    });
    const made = constantOf(productOf(nest.axes.map((a) => a.size))) ?? 0;
    if (made >= mostIndices)
      throw new UnsupportedError(`%${n.name} has ${made} elements; a kernel makes fewer than ${mostIndices}`);
    return nest;
  }

  #scheduled(nest: Nest, planned: Sizes, options: Omit<ScheduleOptions, "name">): Scheduled {
    return this.#o.pool.schedules.of(nest, planned, { name: "k", ...options });
  }

  #map(n: MapNode): void {
    const nest = this.#nest(n, n);
    const room = this.#room(n);
    const rule = this.#o.strategy(n.name);
    const { kernel, ahead, says, refused } = this.#scheduled(nest, this.#sizes.planned, { rule });
    const operands = this.#operands(nest);
    if (ahead === null) return this.#call(n, kernel, [...operands, room], nest.loops, { says, refused });
    const left = this.#places.buffer(`${n.name}.${ahead.name}`, "f32", this.#sizes.inCall(sizeOf(ahead.extent)));
    const named = buffersOf(nest).map((b, i): readonly [string, Binding | undefined] => [b.name, operands[i]]);
    const at = new Map([...named, ["made", room], [ahead.name, { kind: "arena" as const, buffer: left }]]);
    const bound = (k: Kernel): readonly Binding[] =>
      k.buffers.map((b) => {
        const place = at.get(b.name);
        if (place === undefined) throw new InternalError(`%${n.name} has no ${b.name}`);
        return place;
      });
    this.#call(n, ahead.kernel, bound(ahead.kernel), nest.loops, { says, refused });
    this.#call(n, kernel, bound(kernel), nest.loops, { says: "what items have found, merged", refused: [] });
  }
  #operands(nest: Nest): readonly Binding[] {
    return nest.operands.map((o) => {
      const at = this.#places.of(o.node);
      if (o.leading.length === 0) return at;
      const dims = o.node.type.dims.map(this.#sizes.ofCalls.dim);
      let rows: SizeExpr = 0;
      for (const [i, index] of o.leading.entries()) {
        const stride = dimSize(productOf(dims.slice(i + 1, o.leading.length)));
        rows = plus(rows, times(sizeOfScalar(index, this.#loop), stride));
      }
      if (at.kind === "state") return { ...at, copy: plus(at.copy, rows) };
      const offset = times(rows, dimSize(productOf(dims.slice(o.leading.length))));
      return { ...at, offset: plus(at.offset ?? 0, offset) };
    });
  }

  #call(
    n: Computed,
    kernel: Kernel,
    buffers: readonly Binding[],
    loops: ReadonlyMap<string, Node>,
    why: { readonly says: string; readonly refused: readonly string[] },
    block: Block | null = null,
  ): void {
    const where = this.#o.where?.(n.name) ?? null;
    const sizes = kernel.sizes.map((s): SizeExpr => {
      const loop = loops.get(s.name);
      if (loop !== undefined) return this.#loop(loop);
      if (s.name === kernel.window?.first) return 0;
      if (s.name === kernel.window?.pieces) return kernel.window.of;
      return block?.sizes.get(s.name) ?? this.#sizes.inCall(s.name);
    });
    const call: LabelledCall = { kind: "planned", kernel, buffers, sizes, label: n.name, where };
    this.#places.step(buffers);
    this.#steps.push(call);
    this.#reports.push({ node: n, call, ...why, rule: this.#o.strategy(n.name), where, times: this.#times });
  }

  /** Scores as integers that are ordered as they are, then the best of each row. */
  #topK(n: TopK): void {
    const rows = productOf(n.domain.map((a) => this.#sizes.ofKernels.dim(a.size)));
    const count = this.#sizes.ofKernels.dim(n.over.size);
    const k = whole(this.#sizes.ofKernels.dim(n.k), n);
    const most = this.#sizes.most(n.over.size);
    const lines = this.#sizes.plannedFor(rows);
    const atOnce = keysAtOnce(k, lines, this.#o.target);
    if (k > 0 && most > atOnce && most <= mostBlocks * atOnce) return this.#topKInBlocks(n, k, most, lines);
    // Of a row that may be longer than it is: what a call needs does not grow with what is remembered.
    const longest = most <= mostBlocks * atOnce ? most : dimSize(this.#sizes.ofCalls.dim(n.over.size));
    const room = times(dimSize(productOf(n.domain.map((a) => this.#sizes.ofCalls.dim(a.size)))), longest);
    const keys = this.#keys(n, { domain: [...n.domain, n.over], body: n.body, where: n.where }, room);
    const sizes = this.#sizes.given([rows, count]);
    const d = { name: "k", sizes, rows: dimExpr(rows), count: dimExpr(count), k };
    const planned = this.#sizes.plannedFor(count);
    const kernel = selection(d, chooseSelection(d, planned, this.#o.target, lines));
    this.#sorted(n, kernel, { keys }, `selection of ${k} from ${planned}`);
  }
  /** Blocks of the axis one after the other, of which the best so far are kept. */
  #topKInBlocks(n: TopK, k: number, most: number, lines: number): void {
    const atOnce = keysAtOnce(k, lines, this.#o.target);
    const rows = dimSize(productOf(n.domain.map((a) => this.#sizes.ofCalls.dim(a.size))));
    const count = Math.ceil(most / atOnce);
    const index = this.#indexName("block");
    const { points, parts } = pointsOfBlock(n);
    const block: Block = {
      parts,
      sizes: sizesOfBlock(index, dimSize(this.#sizes.ofCalls.dim(n.over.size)), atOnce, rows),
      ranges: new Map([
        [blockSizes.points, { low: 1, high: atOnce }],
        [blockSizes.first, { low: 0, high: most }],
      ]),
      planned: { [blockSizes.points]: Math.min(atOnce, this.#sizes.plannedFor(n.over.size)), [blockSizes.first]: 0 },
    };
    const kept = { name: "k", sizes: { [blockSizes.rows]: {} }, rows: ir.name(blockSizes.rows), k };
    const sizes = { ...kept.sizes, [blockSizes.points]: {}, [blockSizes.first]: { multiple: atOnce } };
    const d = { ...kept, sizes, count: ir.name(blockSizes.points), from: ir.name(blockSizes.first) };
    const schedule = chooseKeeping(d, this.#o.target, lines);
    const buffer = (name: string, size: SizeExpr): Binding => {
      return { kind: "arena", buffer: this.#places.buffer(`${n.name}.${name}`, "i32", size) };
    };
    const names = ["kept_key", "kept_of", ...keepSpaces(schedule)];
    const space = Object.fromEntries(names.map((name) => [name, buffer(name, times(rows, k))]));
    const body = this.#round(() => {
      for (const [part, of] of parts)
        this.#places.put(part, this.#rowsFrom(of, block.sizes.get(blockSizes.first) ?? 0));
      const keys = this.#keys(n, points, times(rows, atOnce), block);
      this.#sorted(n, keepBest(d, schedule), { ...space, keys }, `the best ${k} of ${atOnce} more`, block);
    });
    this.#steps.push({ kind: "repeat", count, index, swap: [], body });
    const all: Block = { ...block, sizes: new Map([[blockSizes.rows, rows]]) };
    this.#sorted(n, sortKept({ ...kept, count: ir.constant(k) }, schedule), space, `the best ${k}, in order`, all);
  }
  /** A tensor from one of its rows on. */
  #rowsFrom(n: Node, row: SizeExpr): Binding {
    const at = this.#places.of(n);
    if (at.kind === "state") return { ...at, row: plus(at.row, row) };
    const stride = dimSize(productOf(n.type.dims.slice(1).map(this.#sizes.ofCalls.dim)));
    return { ...at, offset: plus(at.offset ?? 0, times(row, stride)) };
  }
  #argsort(n: Argsort): void {
    const size = dimSize(this.#sizes.ofCalls.dim(n.over.size));
    const keys = this.#keys(n, { domain: [n.over], body: n.body }, size);
    const count = this.#sizes.ofKernels.dim(n.over.size);
    const d = { name: "k", sizes: this.#sizes.given([count]), count: dimExpr(count) };
    const kernel = sortPermutation(d, choosePermutation(this.#o.target));
    this.#sorted(n, kernel, { keys }, "stable sort");
  }
  #keys(
    n: TopK | Argsort,
    points: Parameters<typeof makeNest>[1],
    size: SizeExpr,
    block: Block | null = null,
  ): Binding {
    if (isWide(n.body)) throw new UnsupportedError(`%${n.name} orders whole numbers of 64 bits`);
    const nest = this.#nest(n, { ...points, elem: "i32" }, block);
    const keys: Binding = { kind: "arena", buffer: this.#places.buffer(`${n.name}.keys`, "i32", size) };
    const planned = { ...this.#sizes.planned, ...block?.planned };
    const { kernel, says, refused } = this.#scheduled(nest, planned, {
      rule: this.#o.strategy(n.name),
      finish: asKey,
    });
    const buffers = [...this.#operands(nest), keys];
    this.#call(n, kernel, buffers, nest.loops, { says: `scores: ${says}`, refused }, block);
    return keys;
  }
  /** `given`: buffers of the kernel that are there; it writes the node's own, `index`, and has the others as work space. */
  #sorted(
    n: TopK | Argsort,
    kernel: Kernel,
    given: Readonly<Record<string, Binding>>,
    says: string,
    block: Block | null = null,
  ): void {
    const buffers = kernel.buffers.map((b): Binding => {
      if (b.name === "index") return this.#room(n);
      const known = given[b.name];
      if (known !== undefined) return known;
      return {
        kind: "arena",
        buffer: this.#places.buffer(`${n.name}.${b.name}`, b.elem, this.#extent(kernel, b.name)),
      };
    });
    this.#call(n, kernel, buffers, new Map(), { says, refused: [] }, block);
  }
  /** Elements of a kernel's buffer, over the sizes of a call. */
  #extent(k: Kernel, buffer: string): SizeExpr {
    const found = k.buffers.find((b) => b.name === buffer);
    if (found === undefined) throw new InternalError(`no buffer ${buffer}`);
    return this.#sizes.inCall(sizeOf(found.extent));
  }

  #append(a: Append): void {
    this.#places.put(a, this.#rowsOf(a, 0));
    const rows = this.#rowsOf(a, this.#o.before);
    const at = this.#places.of(a.rows);
    if (!sameBinding(at, rows)) this.#copy(a.rows, at, rows, a.name, this.#o.elemOf(a.state));
  }

  /** A kernel that copies, where a value has to be in a second place. */
  #copy(n: Node, from: Binding, to: Binding, label: string, elem: BufferElem): void {
    const domain = n.type.dims.map((d, i) => axis(`i${i}`, d));
    const body = read(
      n,
      domain.map((a) => name(a.name)),
    );
    const map: MapNode = { kind: "map", id: -1, name: label, domain, body, type: n.type };
    const nest = this.#nest(map, { domain, body, elem });
    const { kernel, says, refused } = this.#scheduled(nest, this.#sizes.planned, {});
    this.#call(map, kernel, [from, to], nest.loops, { says: `copy: ${says}`, refused });
  }
  #copied(n: Node, label: string): Binding {
    const from = this.#places.of(n);
    if (from.kind === "arena") return from;
    const elem = this.#o.elemOf(n);
    const at: Binding = { kind: "arena", buffer: this.#places.buffer(label, elem, this.#elements(n)) };
    this.#copy(n, from, at, label, elem);
    return at;
  }

  #repeat(r: Repeat): void {
    const count = whole(this.#sizes.ofCalls.dim(r.count), r);
    const elem = this.#o.elemOf(r);
    const room = (part: string): number => this.#places.buffer(`${r.name}.${part}`, elem, this.#elements(r));
    const own = this.#ownInit(r);
    const start = own ?? room("carry");
    const carry: Binding = { kind: "arena", buffer: start };
    if (own === null) this.#copy(r.init, this.#places.of(r.init), carry, `${r.name}.init`, elem);
    const next = room("next");
    const index = this.#indexName(r.index.name);
    this.#loops.set(r.index, index);
    const before = this.#times;
    this.#times *= count;
    this.#places.put(r.carry, carry);
    const made: Binding = { kind: "arena", buffer: next };
    const { body: value } = r;
    const isOwn = isComputed(value) && this.#region.get(value) === r && this.#inState(value) === null;
    const direct = isOwn && this.#o.elemOf(value) === elem;
    if (direct) this.#places.put(r.body, made);
    const body = this.#round(() => {
      this.#places.touch(start);
      this.#places.touch(next);
      this.#fill(r);
      if (!direct) this.#copy(r.body, this.#places.of(r.body), made, `${r.name}.next`, elem);
    });
    this.#times = before;
    this.#loops.delete(r.index);
    if (body.length > 0 && count > 0) this.#steps.push({ kind: "repeat", count, index, swap: [[start, next]], body });
    // Both change places after each round but the last; the names then mean what they meant before it.
    this.#places.put(r, count % 2 === 1 ? made : carry);
  }
  /** The buffer of the first value, where nobody else wants it afterwards. */
  #ownInit(r: Repeat): number | null {
    const { init } = r;
    if (this.#o.elemOf(init) !== this.#o.elemOf(r)) return null;
    if (!isComputed(init) || this.#uses.get(init) !== 1 || this.#region.get(init) !== this.#region.get(r)) return null;
    const at = this.#places.of(init);
    return at.kind === "arena" ? at.buffer : null;
  }
  /** The steps of a round, which runs several times. */
  #round(fill: () => void): readonly PlannedStep[] {
    const outer = this.#steps;
    this.#steps = [];
    this.#places.repeated(fill);
    const body = this.#steps;
    this.#steps = outer;
    return body;
  }
  #indexName(label: string): string {
    const base =
      label
        .split(".")
        .at(-1)
        ?.replace(/[^a-zA-Z0-9]+/g, "_") ?? "round";
    const taken = new Set([...this.#loops.values(), ...this.#o.graph.sizes.keys()]);
    let found = base;
    for (let i = 1; taken.has(found); i += 1) found = `${base}${i}`;
    return found;
  }
}

const asKey = (value: Expr, mask: Expr | null): Expr =>
  mask === null ? sortKey(value) : keyWhere(mask, sortKey(value));

/** Indices of kernels are i32, and what they write is in one piece. */
const mostIndices = 2 ** 31;
/** A longer axis is taken for one of any length. */
const mostBlocks = 1024;

/** The number that a size is. */
function whole(d: Dim, n: Node): number {
  const value = constantOf(d);
  if (value === null) throw new UnsupportedError(`%${n.name} has a size that only a call decides`);
  return value;
}
const sameBinding = (a: Binding, b: Binding): boolean => JSON.stringify(a) === JSON.stringify(b);
