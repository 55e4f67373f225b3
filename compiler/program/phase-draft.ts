/** A phase while it is made: nodes become calls of kernels, one after the other, with memory for what they compute. */
import type { Binding, BufferElem, SizeExpr } from "../../runtime/artifact/program.ts";
import { constantOf, type Dim, productOf, type Sizes } from "../graph/dim.ts";
import { InternalError } from "../graph/internal-error.ts";
import type { Append, Computed, MapNode, Node, Repeat, State } from "../graph/node.ts";
import { axis, name, read } from "../graph/scalar.ts";
import { nodesOf, regions, useCounts } from "../graph/walk.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { dimSize, namesIn } from "../schedule/lift/spell-dim.ts";
import { makeNest } from "../schedule/nest/make-nest.ts";
import type { Nest } from "../schedule/nest/nest.ts";
import type { Scheduled, ScheduleOptions } from "../schedule/schedule-map.ts";
import { KernelSizes } from "./kernel-sizes.ts";
import type { KernelReport, PhaseOrder } from "./phase-order.ts";
import { Places } from "./places.ts";
import type { LabelledCall, PlannedStep, Settled } from "./planned-steps.ts";
import type { Block } from "./row-blocks.ts";
import { plus, sizeOfScalar, times } from "./size-of-scalar.ts";
import { UnsupportedError } from "./unsupported.ts";

/** Indices of kernels are i32, and what they write is in one piece. */
const mostIndices = 2 ** 31;

/** The phase as far as it is made: its steps, and where everything is. */
export class PhaseDraft {
  readonly order: PhaseOrder;
  readonly sizes: KernelSizes;
  readonly nodes: readonly Node[];
  /** Repeats around nodes. */
  readonly region: ReadonlyMap<Node, Repeat>;
  readonly uses: ReadonlyMap<Node, number>;
  readonly places = new Places();
  readonly reports: (Omit<KernelReport, keyof Settled> & { readonly call: LabelledCall })[] = [];
  /** Those of the round that is open, outside of repeats of the phase. */
  steps: PlannedStep[] = [];
  /** Rounds of the repeats that are open. */
  times = 1;
  /** Names of the indices of the repeats that are open. */
  readonly loops = new Map<Node, string>();
  readonly #counts: ReadonlyMap<Node, Dim>;
  readonly #appends: readonly Append[];

  constructor(order: PhaseOrder) {
    this.order = order;
    this.sizes = new KernelSizes(order);
    this.nodes = nodesOf(order.graph);
    this.region = regions(this.nodes);
    this.uses = useCounts(order.graph);
    this.#appends = this.nodes.flatMap((n) => (n.kind === "append" ? [n] : []));
    this.#counts = new Map(this.nodes.flatMap((n) => (n.kind === "repeat" ? [[n.index, n.count] as const] : [])));
  }

  extents(n: Node): readonly SizeExpr[] {
    return n.type.dims.map((d) => dimSize(this.sizes.ofCalls.dim(d)));
  }

  state(n: State): number {
    const lead = this.#leading(n);
    const dims = n.type.dims.map(this.sizes.ofCalls.dim);
    const copies = whole(productOf(dims.slice(0, lead)), n);
    const row = whole(productOf(dims.slice(lead + 1)), n);
    return this.order.state(n, copies, row);
  }

  /** Leading axes of a state, before its rows. */
  #leading(n: State): number {
    const append = this.#appends.find((a) => a.state === n);
    if (append !== undefined) return append.at.length;
    const rows = n.type.dims.findIndex((d) => namesIn(d).has(this.order.before));
    return Math.max(0, rows);
  }

  elements(n: Node): SizeExpr {
    return dimSize(productOf(n.type.dims.map(this.sizes.ofCalls.dim)));
  }

  /** Memory for what a node computes: rows of a state where that is where they go, else memory of the call. */
  room(n: Computed): Binding {
    if (this.places.has(n)) return this.places.of(n);
    const at = this.inState(n) ?? {
      kind: "arena" as const,
      buffer: this.places.buffer(n.name, this.order.elemOf(n), this.elements(n)),
    };
    this.places.put(n, at);
    return at;
  }

  inState(n: Computed): Binding | null {
    const [append, ...others] = this.#appends.filter((a) => a.rows === n);
    if (append === undefined || others.length > 0 || this.region.get(append) !== this.region.get(n)) return null;
    if (this.order.elemOf(n) !== this.order.elemOf(append.state)) return null;
    return this.rowsOf(append, this.order.before);
  }

  rowsOf(a: Append, row: SizeExpr): Binding {
    const dims = a.state.type.dims.map(this.sizes.ofCalls.dim);
    let copy: SizeExpr = 0;
    for (const [i, at] of a.at.entries()) {
      const stride = whole(productOf(dims.slice(i + 1, a.at.length)), a);
      copy = plus(copy, times(sizeOfScalar(at, this.loop), stride));
    }
    return { kind: "state", state: this.state(a.state), copy, row: this.order.fixed[String(row)] ?? row };
  }

  /** A tensor from one of its rows on. */
  rowsFrom(n: Node, row: SizeExpr): Binding {
    const at = this.places.of(n);
    if (at.kind === "state") return { ...at, row: plus(at.row, row) };
    const stride = dimSize(productOf(n.type.dims.slice(1).map(this.sizes.ofCalls.dim)));
    return { ...at, offset: plus(at.offset ?? 0, times(row, stride)) };
  }

  readonly loop = (n: Node): string => {
    const known = this.loops.get(n);
    if (known === undefined) throw new InternalError(`%${n.name} is no index of a repeat that is open`);
    return known;
  };

  nest(n: Computed, points: Parameters<typeof makeNest>[1], block: Block | null = null): Nest {
    const { elemOf, target } = this.order;
    const nest = makeNest(n, points, {
      special: this.sizes.ofKernels,
      ranges: block === null ? this.sizes.ranges : new Map([...this.sizes.ranges, ...block.ranges]),
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

  scheduled(nest: Nest, planned: Sizes, options: Omit<ScheduleOptions, "name">): Scheduled {
    return this.order.pool.schedules.of(nest, planned, { name: "k", ...options });
  }

  operands(nest: Nest): readonly Binding[] {
    return nest.operands.map((o) => {
      const at = this.places.of(o.node);
      if (o.leading.length === 0) return at;
      const dims = o.node.type.dims.map(this.sizes.ofCalls.dim);
      let rows: SizeExpr = 0;
      for (const [i, index] of o.leading.entries()) {
        const stride = dimSize(productOf(dims.slice(i + 1, o.leading.length)));
        rows = plus(rows, times(sizeOfScalar(index, this.loop), stride));
      }
      if (at.kind === "state") return { ...at, copy: plus(at.copy, rows) };
      const offset = times(rows, dimSize(productOf(dims.slice(o.leading.length))));
      return { ...at, offset: plus(at.offset ?? 0, offset) };
    });
  }

  call(
    n: Computed,
    kernel: Kernel,
    buffers: readonly Binding[],
    loops: ReadonlyMap<string, Node>,
    why: { readonly says: string; readonly refused: readonly string[] },
    block: Block | null = null,
  ): void {
    const where = this.order.where?.(n.name) ?? null;
    const sizes = kernel.sizes.map((s): SizeExpr => {
      const loop = loops.get(s.name);
      if (loop !== undefined) return this.loop(loop);
      if (s.name === kernel.window?.first) return 0;
      if (s.name === kernel.window?.pieces) return kernel.window.of;
      return block?.sizes.get(s.name) ?? this.sizes.inCall(s.name);
    });
    const call: LabelledCall = { kind: "planned", kernel, buffers, sizes, label: n.name, where };
    this.places.step(buffers);
    this.steps.push(call);
    this.reports.push({ node: n, call, ...why, rule: this.order.strategy(n.name), where, times: this.times });
  }

  /** A kernel that copies, where a value has to be in a second place. */
  copy(n: Node, from: Binding, to: Binding, label: string, elem: BufferElem): void {
    const domain = n.type.dims.map((d, i) => axis(`i${i}`, d));
    const body = read(
      n,
      domain.map((a) => name(a.name)),
    );
    const map: MapNode = { kind: "map", id: -1, name: label, domain, body, type: n.type };
    const nest = this.nest(map, { domain, body, elem });
    const { kernel, says, refused } = this.scheduled(nest, this.sizes.planned, {});
    this.call(map, kernel, [from, to], nest.loops, { says: `copy: ${says}`, refused });
  }

  /** The steps of a round, which runs several times. */
  round(fill: () => void): readonly PlannedStep[] {
    const outer = this.steps;
    this.steps = [];
    this.places.repeated(fill);
    const body = this.steps;
    this.steps = outer;
    return body;
  }

  indexName(label: string): string {
    const base =
      label
        .split(".")
        .at(-1)
        ?.replace(/[^a-zA-Z0-9]+/g, "_") ?? "round";
    const taken = new Set([...this.loops.values(), ...this.order.graph.sizes.keys()]);
    let found = base;
    for (let i = 1; taken.has(found); i += 1) found = `${base}${i}`;
    return found;
  }
}

/** The number that a size is. */
export function whole(d: Dim, n: Node): number {
  const value = constantOf(d);
  if (value === null) throw new UnsupportedError(`%${n.name} has a size that only a call decides`);
  return value;
}
